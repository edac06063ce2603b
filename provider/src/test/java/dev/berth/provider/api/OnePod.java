package dev.berth.provider.api;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A node with one pod, {@code default/web}, whose container {@code app} can be changed. */
final class OnePod implements PodDirectory {
  volatile ContainerTarget target =
      new ContainerTarget("vm-1", false, true, OptionalInt.of(1), OptionalInt.empty(), false);

  volatile Optional<String> trouble = Optional.empty();

  @Override
  public Optional<String> trouble() {
    return trouble;
  }

  @Override
  public List<Pod> pods() {
    return List.of(
        new PodBuilder()
            .withNewMetadata()
            .withName("web")
            .withNamespace("default")
            .withUid("uid-1")
            .endMetadata()
            .withNewSpec()
            .addNewContainer()
            .withName("app")
            .endContainer()
            .endSpec()
            .withNewStatus()
            .withPhase("Running")
            .addNewContainerStatus()
            .withName("app")
            .withNewState()
            .withNewRunning()
            .endRunning()
            .endState()
            .endContainerStatus()
            .endStatus()
            .build());
  }

  @Override
  public ContainerTarget container(
      String namespace, String pod, Optional<String> uid, String container) {
    if (!namespace.equals("default") || !pod.equals("web")) {
      throw new PodLookupException(404, "pod \"%s\" does not exist".formatted(pod));
    }
    if (!container.equals("app")) {
      throw new PodLookupException(
          404, "container \"%s\" not found in pod \"%s\"".formatted(container, pod));
    }
    return target;
  }
}
