package dev.berth.provider.pod;

import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EphemeralContainer;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What of a running pod's spec may change at the API server, and is not carried out here. Each
 * change is told, so that nobody waits for it.
 */
final class SpecChange {
  private SpecChange() {}

  /** One event for each change from one version of a pod to the next that has no effect. */
  static List<PodEvent> refused(Pod before, Pod after) {
    List<PodEvent> events = new ArrayList<>();
    for (Container container : after.getSpec().getContainers()) {
      same(before, container).ifPresent(known -> compare(known, container, events));
    }
    Set<String> known = ephemeral(before);
    ephemeral(after).stream()
        .filter(name -> !known.contains(name))
        .map(
            name ->
                PodEvent.warning(
                    Admission.UNSUPPORTED,
                    "Ephemeral container %s is not started: Berth does not support spec.ephemeralContainers"
                        .formatted(name)))
        .forEach(events::add);
    return events;
  }

  private static void compare(Container before, Container after, List<PodEvent> events) {
    if (!Objects.equals(before.getResources(), after.getResources())) {
      events.add(
          PodEvent.warning(
              "ResizeInfeasible",
              "Container %s keeps its size: Berth does not resize a Pod in place, create it anew"
                  .formatted(after.getName())));
    }
  }

  private static Optional<Container> same(Pod pod, Container container) {
    return pod.getSpec().getContainers().stream()
        .filter(other -> other.getName().equals(container.getName()))
        .findFirst();
  }

  private static Set<String> ephemeral(Pod pod) {
    List<EphemeralContainer> containers = pod.getSpec().getEphemeralContainers();
    return containers == null
        ? Set.of()
        : containers.stream().map(EphemeralContainer::getName).collect(Collectors.toSet());
  }
}
