package dev.berth.provider.pod;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.PodEvent;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HypervisorNewsTest {
  private static final String POD = "0f3a7c1e-5b1d-4c58-9d53-1f2a3b4c5d6e";

  private static Optional<PodEvent> news(
      PortLayerEvent.Type type, String subject, String groupId, String detail) {
    return HypervisorNews.of(new PortLayerEvent(Instant.EPOCH, type, subject, groupId, detail));
  }

  @Test
  void whatHappensToAVmNamesItsContainer() {
    assertEquals(
        Optional.of(PodEvent.normal("Migrated", "container web: moved from a to b")),
        news(
            PortLayerEvent.Type.VM_MIGRATED,
            Names.containerVm(POD, "web"),
            Names.group(POD),
            "moved from a to b"));
    assertEquals(
        Optional.of(PodEvent.warning("RestartedElsewhere", "container web: restarted on b")),
        news(
            PortLayerEvent.Type.VM_RESTARTED,
            Names.containerVm(POD, "web"),
            Names.group(POD),
            "restarted on b"));
  }

  @Test
  void whatHappensToAHostOrADatastoreNamesThat() {
    assertEquals(
        Optional.of(PodEvent.warning("HypervisorWarning", "host a does not answer")),
        news(PortLayerEvent.Type.WARNING, "a", "", "host a does not answer"));
    assertEquals(
        Optional.of(PodEvent.warning("HypervisorAlarm", "ds1: alarm \"usage\" went to red")),
        news(PortLayerEvent.Type.ALARM, "ds1", "", "alarm \"usage\" went to red"));
    assertEquals(
        Optional.of(PodEvent.normal("HypervisorNotice", "ds1: green")),
        news(PortLayerEvent.Type.NOTICE, "ds1", "", "green"));
  }

  @Test
  void whatPodsTellOfIsNotToldTwice() {
    assertEquals(
        Optional.empty(),
        news(
            PortLayerEvent.Type.PROCESS_EXITED,
            Names.containerVm(POD, "web"),
            Names.group(POD),
            ""));
  }
}
