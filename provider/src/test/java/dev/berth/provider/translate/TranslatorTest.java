package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.ProviderConfiguration.HostGroups;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A pod's group")
class TranslatorTest {
  private static Placement placement(HostGroups hostGroups) {
    ProviderConfiguration defaults = ProviderConfiguration.defaults("node", "192.0.2.1");
    Pod pod = Pods.pod("", "");
    Image image =
        new Image(
            "sha256:0",
            List.of(),
            List.of(),
            new ImageConfiguration(
                List.of(), List.of(), List.of(), "", "", Optional.empty(), List.of(), Map.of()),
            new DiskAttachment("image", DiskAttachment.Role.IMAGE, "image", true),
            0,
            Instant.EPOCH);
    DiskAttachment scratch =
        new DiskAttachment("scratch", DiskAttachment.Role.SCRATCH, "scratch", false);
    NicAttachment nic =
        new NicAttachment("nic", "pods", "00:50:56:00:00:01", List.of("192.0.2.9/24"), "", 1500);
    return new Translator(
            new ProviderConfiguration(
                defaults.node(),
                defaults.limits(),
                defaults.cluster(),
                defaults.containers(),
                hostGroups,
                defaults.images(),
                defaults.timing()))
        .group(pod, image, "i@sha256:0", List.of(scratch), nic, 0)
        .placement();
  }

  @Test
  @DisplayName("runs on any host, unless its namespace, or all others, are bound to some")
  void hostGroups() {
    assertEquals(Placement.anywhereTogether(), placement(HostGroups.none()));
    assertEquals(
        new Placement(true, Optional.of("a")),
        placement(new HostGroups(Map.of("ns", "a"), Optional.of("rest"))));
    assertEquals(
        new Placement(true, Optional.of("rest")),
        placement(new HostGroups(Map.of("other", "a"), Optional.of("rest"))));
    assertEquals(
        Placement.anywhereTogether(),
        placement(new HostGroups(Map.of("other", "a"), Optional.empty())));
  }
}
