package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.events.EventBatch;
import dev.berth.portlayer.events.PortLayerEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class EventContract {
  private final Fixture fixture;

  EventContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("the life of a process is told in order, with the ids of its containerVM and group")
  void life() {
    Guest guest = fixture.guest();
    String cursor = fixture.events().now();
    guest.run(ProcessSpecs.of("true"));
    List<PortLayerEvent> events = until(cursor, guest.id(), PortLayerEvent.Type.PROCESS_EXITED);
    assertEquals(
        List.of(PortLayerEvent.Type.PROCESS_STARTED, PortLayerEvent.Type.PROCESS_EXITED),
        events.stream().map(PortLayerEvent::type).toList());
    assertTrue(events.stream().allMatch(event -> event.groupId().equals(guest.groupId())));
  }

  @Test
  @DisplayName("the life of a group is told")
  void group() {
    String cursor = fixture.events().now();
    Guest guest = fixture.newGuest();
    until(cursor, guest.groupId(), PortLayerEvent.Type.GROUP_CREATED);
    guest.destroy();
    until(cursor, guest.groupId(), PortLayerEvent.Type.GROUP_DESTROYED);
  }

  @Test
  @DisplayName("the loss of a VM is told")
  void loss() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    String cursor = fixture.events().now();
    fixture.environment().loseVm(guest.id());
    until(cursor, guest.id(), PortLayerEvent.Type.PROCESS_EXITED);
    until(cursor, guest.id(), PortLayerEvent.Type.VM_POWERED_OFF);
    cursor = fixture.events().now();
    fixture.compute().powerOn(guest.groupId(), fixture.patience());
    until(cursor, guest.id(), PortLayerEvent.Type.VM_READY);
  }

  @Test
  @DisplayName("a read resumes from any cursor that it was given")
  void resumable() {
    Guest guest = fixture.guest();
    String before = fixture.events().now();
    guest.run(ProcessSpecs.of("true"));
    until(before, guest.id(), PortLayerEvent.Type.PROCESS_EXITED);
    EventBatch first = fixture.events().read(before, Duration.ZERO);
    EventBatch again = fixture.events().read(before, Duration.ZERO);
    assertEquals(first, again);
    assertFalse(first.lost());
    assertEquals(List.of(), fixture.events().read(first.cursor(), Duration.ofMillis(50)).events());
  }

  @Test
  @DisplayName("an unknown cursor, or one of an earlier control plane, is told to have lost events")
  void lost() {
    EventBatch unknown = fixture.events().read("no-such-cursor", Duration.ZERO);
    assertTrue(unknown.lost());
    assertFalse(fixture.events().read(unknown.cursor(), Duration.ZERO).lost());
    fixture.restart();
    assertFalse(fixture.events().read(fixture.events().now(), Duration.ZERO).lost());
  }

  @Test
  @DisplayName("a read that is interrupted fails with INTERRUPTED and leaves the flag set")
  void interrupted() {
    String cursor = fixture.events().now();
    Thread.currentThread().interrupt();
    assertRefused(Code.INTERRUPTED, () -> fixture.events().read(cursor, Fixture.LONG));
    assertTrue(Thread.interrupted());
  }

  /** Reads until an event is there; returns what was told of its subject up to it. */
  private List<PortLayerEvent> until(String from, String subject, PortLayerEvent.Type last) {
    List<PortLayerEvent> found = new ArrayList<>();
    String[] cursor = {from};
    fixture
        .await()
        .until(
            () -> {
              EventBatch batch = fixture.events().read(cursor[0], Duration.ofMillis(100));
              cursor[0] = batch.cursor();
              batch.events().stream()
                  .filter(event -> event.subject().equals(subject))
                  .forEach(found::add);
              return found.stream().anyMatch(event -> event.type() == last);
            });
    return found;
  }
}
