package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.provider.api.PodDirectory;
import dev.berth.provider.api.PodLookupException;
import dev.berth.provider.lifecycle.Names;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The node's pods as the kubelet's API looks them up. */
public final class NodePods implements PodDirectory {
  private final PodController controller;
  private final PortLayer portLayer;

  public NodePods(PodController controller, PortLayer portLayer) {
    this.controller = controller;
    this.portLayer = portLayer;
  }

  @Override
  public List<Pod> pods() {
    return controller.pods();
  }

  @Override
  public Optional<String> trouble() {
    return controller.trouble();
  }

  @Override
  public ContainerTarget container(
      String namespace, String podName, Optional<String> uid, String containerName) {
    required(namespace, "Missing podNamespace.");
    required(podName, "Missing podID.");
    required(containerName, "Missing container name.");
    Pod pod =
        controller
            .find(namespace, podName)
            .map(PodWorker::pod)
            .filter(found -> uid.isEmpty() || uid.get().equals(found.getMetadata().getUid()))
            .orElseThrow(
                () -> new PodLookupException(404, "pod \"%s\" does not exist".formatted(podName)));
    Container container =
        pod.getSpec().getContainers().stream()
            .filter(each -> each.getName().equals(containerName))
            .findFirst()
            .orElseThrow(
                () ->
                    new PodLookupException(
                        404,
                        "container \"%s\" not found in pod \"%s\""
                            .formatted(containerName, podName)));
    return target(pod, container);
  }

  private ContainerTarget target(Pod pod, Container container) {
    String uid = pod.getMetadata().getUid();
    String id = Names.containerVm(uid, container.getName());
    Optional<ContainerVm> vm =
        portLayer.compute().find(Names.group(uid)).flatMap(group -> group.member(id));
    OptionalInt current = vm.map(present -> attempt(present)).orElse(OptionalInt.empty());
    OptionalInt previous =
        vm.map(
                present ->
                    present.history().stream()
                        .mapToInt(Exited::attempt)
                        .filter(attempt -> attempt < current.orElse(0))
                        .max())
            .orElse(OptionalInt.empty());
    boolean ended = vm.filter(present -> present.process() instanceof Running).isEmpty();
    return new ContainerTarget(
        id,
        Boolean.TRUE.equals(container.getTty()),
        Boolean.TRUE.equals(container.getStdin()),
        current,
        previous,
        ended);
  }

  private static OptionalInt attempt(ContainerVm vm) {
    return switch (vm.process()) {
      case NotStarted _ -> OptionalInt.empty();
      case Running running -> OptionalInt.of(running.attempt());
      case Exited exited -> OptionalInt.of(exited.attempt());
    };
  }

  private static void required(String value, String message) {
    if (value.isEmpty()) {
      throw new PodLookupException(400, message);
    }
  }
}
