package dev.berth.provider.pod;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.EphemeralContainerBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A change of a running pod's spec")
class SpecChangeTest {
  private static Pod pod(String image, String memory) {
    return new PodBuilder()
        .withNewSpec()
        .addNewContainer()
        .withName("main")
        .withImage(image)
        .withNewResources()
        .withLimits(Map.of("memory", new Quantity(memory)))
        .endResources()
        .endContainer()
        .endSpec()
        .build();
  }

  private static Pod debugged(Pod pod) {
    return pod.edit()
        .editSpec()
        .withEphemeralContainers(new EphemeralContainerBuilder().withName("debugger").build())
        .endSpec()
        .build();
  }

  @Test
  @DisplayName("is no event when it is carried out, or when nothing changed but how it is written")
  void nothing() {
    Pod before = pod("a", "1Gi");
    assertEquals(List.of(), SpecChange.refused(before, pod("a", "1024Mi")));
    assertEquals(List.of(), SpecChange.refused(before, pod("b", "1Gi")));
    assertEquals(List.of(), SpecChange.refused(debugged(before), debugged(before)));
  }

  @Test
  @DisplayName("is told when it is a resize or an ephemeral container")
  void told() {
    only("ResizeInfeasible", "main keeps its size", pod("a", "2Gi"));
    only("UnsupportedPodSpec", "debugger is not started", debugged(pod("a", "1Gi")));
  }

  private static void only(String reason, String text, Pod after) {
    List<PodEvent> events = SpecChange.refused(pod("a", "1Gi"), after);
    assertEquals(1, events.size(), events.toString());
    assertEquals(reason, events.getFirst().reason());
    assertTrue(events.getFirst().warning());
    assertTrue(events.getFirst().message().contains(text), events.toString());
  }
}
