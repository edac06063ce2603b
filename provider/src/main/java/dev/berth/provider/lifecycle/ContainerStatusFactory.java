package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Running;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStateTerminatedBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The container's status with the kubelet's reasons. */
final class ContainerStatusFactory {
  static final String CREATING = "ContainerCreating";

  private final Facts facts;
  private final PodMemory memory;
  private final Observation seen;

  ContainerStatusFactory(Facts facts, PodMemory memory, Observation seen) {
    this.facts = facts;
    this.memory = memory;
    this.seen = seen;
  }

  ContainerStatus build() {
    ContainerStatusBuilder status =
        new ContainerStatusBuilder()
            .withName(facts.container().getName())
            .withImage(facts.container().getImage())
            .withImageID(imageId())
            .withReady(facts.running())
            .withStarted(facts.running())
            .withRestartCount(restartCount())
            .withLastState(new ContainerState());
    if (facts.everStarted()) {
      status.withContainerID(containerId());
    }
    switch (facts.process()) {
      case Running running -> running(status, running);
      case Exited exited -> exited(status, exited);
      case NotStarted _ -> notStarted(status);
    }
    return status.build();
  }

  private String imageId() {
    return facts
        .vm()
        .map(vm -> vm.spec().labels().getOrDefault(Names.IMAGE_REFERENCE, vm.spec().imageId()))
        .or(() -> memory.image().map(PodMemory.ReadyImage::reference))
        .or(() -> facts.previous().map(ContainerStatus::getImageID))
        .orElse("");
  }

  private String containerId() {
    return facts
        .vm()
        .map(vm -> "berth://" + vm.spec().id())
        .or(() -> facts.previous().map(ContainerStatus::getContainerID))
        .orElse("");
  }

  private int restartCount() {
    return switch (facts.process()) {
      case Running running -> running.attempt();
      case Exited exited -> exited.attempt();
      case NotStarted _ -> facts.previous().map(ContainerStatus::getRestartCount).orElse(0);
    };
  }

  private void running(ContainerStatusBuilder status, Running running) {
    status
        .withState(
            new ContainerStateBuilder()
                .withNewRunning()
                .withStartedAt(StatusBuilder.time(running.startedAt()))
                .endRunning()
                .build())
        .withLastState(lastBefore(running.attempt()));
  }

  private void exited(ContainerStatusBuilder status, Exited exited) {
    Optional<Waiting> waiting = whyWaiting(exited);
    if (waiting.isPresent()) {
      status.withState(waiting.get().state()).withLastState(terminated(exited));
    } else {
      status.withState(terminated(exited)).withLastState(lastBefore(exited.attempt()));
    }
  }

  private record Waiting(String reason, String message) {
    ContainerState state() {
      return new ContainerStateBuilder()
          .withNewWaiting()
          .withReason(reason)
          .withMessage(message.isEmpty() ? null : message)
          .endWaiting()
          .build();
    }
  }

  private Optional<Waiting> whyWaiting(Exited exited) {
    if (facts.deleting() || !facts.restarts(exited) || memory.verdict().isPresent()) {
      return Optional.empty();
    }
    Optional<Instant> until =
        BackOff.until(memory.restartBackOff(), exited.finishedAt(), seen.now());
    if (until.isPresent() && memory.operation().isEmpty()) {
      return Optional.of(new Waiting("CrashLoopBackOff", crashMessage()));
    }
    if (memory.problem().filter(problem -> problem.kind() != Problem.Kind.REFRESH).isPresent()) {
      return memory.problem().map(this::waiting);
    }
    if (exited.reason() == ProcessState.Reason.START_ERROR) {
      return Optional.of(new Waiting("RunContainerError", exited.message()));
    }
    return Optional.empty();
  }

  private String crashMessage() {
    return "back-off %s restarting failed container=%s pod=%s"
        .formatted(
            memory.restartBackOff().map(ContainerStatusFactory::goDuration).orElse("10s"),
            facts.container().getName(),
            PodText.name(facts.pod()));
  }

  private static String goDuration(BackOff backOff) {
    long seconds = backOff.delay().toSeconds();
    return seconds < 60 ? seconds + "s" : "%dm%ds".formatted(seconds / 60, seconds % 60);
  }

  private Waiting waiting(Problem problem) {
    if (problem.kind() == Problem.Kind.IMAGE_PULL
        && !seen.now().isBefore(problem.since().plus(PodMachine.SHOW_PULL_ERROR))) {
      return new Waiting(
          "ImagePullBackOff",
          "Back-off pulling image \"%s\": ErrImagePull: %s"
              .formatted(facts.container().getImage(), problem.message()));
    }
    boolean shown = !CREATING.equals(problem.kind().waitingReason());
    return new Waiting(problem.kind().waitingReason(), shown ? problem.message() : "");
  }

  private void notStarted(ContainerStatusBuilder status) {
    if (memory.verdict().isPresent() && facts.everStarted() && facts.group().isEmpty()) {
      status.withState(lost());
      return;
    }
    status.withState(memory.problem().map(this::waiting).orElse(new Waiting(CREATING, "")).state());
    facts.previous().map(this::lastStateOfLost).ifPresent(status::withLastState);
  }

  /** What the group that was lost left behind in the status. */
  private ContainerState lastStateOfLost(ContainerStatus before) {
    ContainerState state = before.getState();
    if (state != null && state.getTerminated() != null) {
      return state;
    }
    if (state != null && state.getRunning() != null) {
      return lost();
    }
    return before.getLastState() == null ? new ContainerState() : before.getLastState();
  }

  private ContainerState lost() {
    return new ContainerStateBuilder()
        .withNewTerminated()
        .withExitCode(137)
        .withReason("ContainerStatusUnknown")
        .withMessage("The container could not be located; it used to be Running")
        .withContainerID(containerId())
        .endTerminated()
        .build();
  }

  private ContainerState lastBefore(int attempt) {
    List<Exited> history = facts.vm().map(ContainerVm::history).orElse(List.of());
    return history.stream()
        .filter(earlier -> earlier.attempt() < attempt)
        .reduce((_, later) -> later)
        .map(this::terminated)
        .or(() -> facts.previous().filter(_ -> attempt > 0).map(ContainerStatus::getLastState))
        .orElseGet(ContainerState::new);
  }

  private ContainerState terminated(Exited exited) {
    ContainerStateTerminated terminated =
        new ContainerStateTerminatedBuilder()
            .withExitCode(exited.exitCode())
            .withSignal(exited.signal() == 0 ? null : exited.signal())
            .withReason(reason(exited.reason()))
            .withMessage(exited.message().isEmpty() ? null : exited.message())
            .withStartedAt(StatusBuilder.time(exited.startedAt()))
            .withFinishedAt(StatusBuilder.time(exited.finishedAt()))
            .withContainerID(containerId())
            .build();
    return new ContainerStateBuilder().withTerminated(terminated).build();
  }

  private static String reason(ProcessState.Reason reason) {
    return switch (reason) {
      case COMPLETED -> "Completed";
      case ERROR -> "Error";
      case OUT_OF_MEMORY -> "OOMKilled";
      case START_ERROR -> "StartError";
      case VM_LOST -> "ContainerStatusUnknown";
    };
  }
}
