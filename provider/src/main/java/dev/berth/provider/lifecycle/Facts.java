package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Running;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.util.Optional;

/** What an observation says about the pod and its one container, in the machine's own words. */
record Facts(
    Pod pod,
    Container container,
    Optional<Group> group,
    Optional<ContainerVm> vm,
    ProcessState process,
    Optional<ContainerStatus> previous,
    PodStatus previousPod) {

  static Facts of(Observation seen) {
    Container container = seen.pod().getSpec().getContainers().getFirst();
    Optional<ContainerVm> vm = seen.group().map(group -> group.members().getFirst());
    return new Facts(
        seen.pod(),
        container,
        seen.group(),
        vm,
        vm.map(ContainerVm::process).orElseGet(NotStarted::new),
        seen.previous().getContainerStatuses().stream()
            .filter(status -> container.getName().equals(status.getName()))
            .findFirst(),
        seen.previous());
  }

  String uid() {
    return pod.getMetadata().getUid();
  }

  boolean deleting() {
    return pod.getMetadata().getDeletionTimestamp() != null;
  }

  boolean running() {
    return process instanceof Running;
  }

  /** Whether an attempt was made in this or an earlier group. */
  boolean everStarted() {
    return !(process instanceof NotStarted)
        || previous.filter(status -> notEmpty(status.getContainerID())).isPresent();
  }

  /** Whether the API server already calls the pod Succeeded or Failed. */
  boolean terminalAtServer() {
    return terminal(previousPod.getPhase()) || terminal(pod.getStatus().getPhase());
  }

  boolean restarts(Exited exited) {
    return switch (pod.getSpec().getRestartPolicy()) {
      case "Never" -> false;
      case "OnFailure" -> exited.exitCode() != 0;
      default -> true;
    };
  }

  /** Whether the pod now names another image than its group was made with. */
  boolean imageChanged() {
    return vm.map(member -> member.spec().labels().get(Names.IMAGE))
        .filter(image -> !image.equals(container.getImage()))
        .isPresent();
  }

  /** The attempt with which a new group begins. */
  int nextFirstAttempt() {
    return previous
        .filter(status -> notEmpty(status.getContainerID()))
        .map(status -> status.getRestartCount() + 1)
        .orElse(0);
  }

  /** The attempt with which this group begins. */
  int firstAttempt() {
    return group
        .map(present -> present.spec().labels().getOrDefault(Names.FIRST_ATTEMPT, "0"))
        .map(Integer::parseInt)
        .orElse(0);
  }

  static boolean terminal(String phase) {
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  private static boolean notEmpty(String text) {
    return text != null && !text.isEmpty();
  }
}
