package dev.berth.provider.lifecycle;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the end of an action changes in the memory, and what is told about it.
 *
 * @param memory without the action in progress
 */
public record Completion(PodMemory memory, List<PodEvent> events) {
  public Completion {
    events = List.copyOf(events);
  }

  /** The memory after {@code action} ended; a pure function like {@link PodMachine}. */
  public static Completion of(
      Pod pod, PodMemory before, Action action, Outcome outcome, Instant now) {
    PodMemory.Draft memory = before.draft();
    List<PodEvent> events = new ArrayList<>();
    memory.operation = null;
    switch (outcome) {
      case Outcome.Cancelled _ -> {}
      case Outcome.Done _ -> done(pod, memory, action, now);
      case Outcome.ImageReady ready -> {
        memory.image = new PodMemory.ReadyImage(image(pod), ready.imageId(), ready.reference());
        forgetProblem(memory);
      }
      case Outcome.Failed failed -> failed(pod, memory, failed, now, events);
    }
    return new Completion(memory.freeze(), events);
  }

  private static void done(Pod pod, PodMemory.Draft memory, Action action, Instant now) {
    switch (action) {
      case Action.StartProcess _, Action.RefreshVolumes _ -> {
        memory.refreshedAt = now;
        memory.refreshedMetadata = Volumes.metadataHash(pod);
        memory.replacing = false;
      }
      case Action.DestroyGroup _ -> memory.cleared = true;
      case Action.DeleteObject _ -> memory.objectDeletedAt = now;
      case Action.PullImage _, Action.CreateGroup _, Action.StopProcess _, Action.PowerOff _ -> {}
    }
    forgetProblem(memory);
  }

  private static void forgetProblem(PodMemory.Draft memory) {
    memory.problem = null;
    memory.failures = 0;
    memory.announced = false;
  }

  private static void failed(
      Pod pod, PodMemory.Draft memory, Outcome.Failed failed, Instant now, List<PodEvent> events) {
    Problem.Kind kind = failed.kind();
    if (kind == Problem.Kind.REFRESH) {
      memory.refreshedAt = now;
      events.add(PodEvent.warning(kind.eventReason(), failed.message()));
      return;
    }
    boolean again = memory.problem != null && memory.problem.kind() == kind;
    memory.failures = again ? memory.failures + 1 : 1;
    memory.announced = false;
    memory.problem = new Problem(kind, failed.message(), now);
    if (kind == Problem.Kind.IMAGE_PULL) {
      memory.imageBackOff = BackOff.next(Optional.ofNullable(memory.imageBackOff), now, now);
    }
    events.add(PodEvent.warning(kind.eventReason(), told(pod, failed)));
    if (kind.ofImage()) {
      events.add(PodEvent.warning("Failed", "Error: " + kind.waitingReason()));
    }
  }

  private static String told(Pod pod, Outcome.Failed failed) {
    return switch (failed.kind()) {
      case IMAGE_PULL -> "Failed to pull image \"%s\": %s".formatted(image(pod), failed.message());
      case CONFIGURATION, RUN -> "Error: " + failed.message();
      case SANDBOX -> "Failed to create pod sandbox: " + failed.message();
      case STOP -> "error killing pod: " + failed.message();
      case IMAGE_NEVER, IMAGE_NAME, MOUNT, REFRESH, OBJECT -> failed.message();
    };
  }

  private static String image(Pod pod) {
    return pod.getSpec().getContainers().getFirst().getImage();
  }
}
