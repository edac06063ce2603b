package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.provider.lifecycle.PodMemory.Rejection;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The life of a pod as a pure function of what is seen: no clock, no cluster and no port layer is
 * asked. Whatever happened to this process before, looking again at the same things leads to the
 * same decision.
 */
public final class PodMachine {
  /** How long ErrImagePull is shown before it turns into ImagePullBackOff, for people to see it. */
  static final Duration SHOW_PULL_ERROR = Duration.ofSeconds(2);

  /** What a container gets that is ended because its pod object was removed by force. */
  static final Duration FORCED_GRACE = Duration.ofSeconds(2);

  private static final Duration DELETE_AGAIN = Duration.ofMinutes(1);

  private final Observation seen;
  private final Facts facts;
  private final PodMemory.Draft memory;
  private final List<PodEvent> events = new ArrayList<>();
  private final Instant now;
  private @Nullable Action begin;
  private boolean cancel;
  private @Nullable Duration shorten;
  private @Nullable Instant wakeAt;
  private boolean finished;

  private PodMachine(Observation seen) {
    this.seen = seen;
    this.facts = Facts.of(seen);
    this.memory = seen.memory().draft();
    this.now = seen.now();
  }

  /** What to do, to show and to tell. */
  public static Decision decide(Observation seen) {
    return new PodMachine(seen).decide();
  }

  private Decision decide() {
    if (seen.gone()) {
      tearDown(forcedGrace());
      finished = memory.operation == null && memory.cleared && seen.group().isEmpty();
    } else if (facts.deleting()) {
      delete();
    } else if (memory.rejection == null) {
      live();
    }
    PodMemory after = memory.freeze();
    Optional<PodStatus> status =
        seen.gone() ? Optional.empty() : StatusBuilder.build(facts, after, seen);
    return new Decision(
        status,
        passing(status, after),
        Optional.ofNullable(begin),
        cancel,
        Optional.ofNullable(shorten),
        events,
        after,
        Optional.ofNullable(wakeAt),
        finished);
  }

  private static boolean passing(Optional<PodStatus> status, PodMemory memory) {
    return memory.problem().isEmpty()
        && status.filter(shown -> "Pending".equals(shown.getPhase())).isPresent();
  }

  private void live() {
    if (!facts.terminalAtServer() && memory.verdict == null) {
      judge();
    }
    if (memory.verdict != null || facts.terminalAtServer()) {
      settle();
      return;
    }
    switch (facts.process()) {
      case Running _ -> keepRunning();
      case NotStarted _ -> startFirst();
      case Exited exited when facts.imageChanged() -> replace();
      case Exited exited when facts.restarts(exited) -> restart(exited);
      case Exited _ -> settle();
    }
  }

  /** Ends pods whose time is up and pods that must not run twice but were lost. */
  private void judge() {
    Long limit = facts.pod().getSpec().getActiveDeadlineSeconds();
    if (limit != null && !over()) {
      Instant end = startTime().plusSeconds(limit);
      if (now.isBefore(end)) {
        wake(end);
      } else {
        fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
        events.add(
            PodEvent.normal("DeadlineExceeded", Objects.requireNonNull(memory.verdict).message()));
        return;
      }
    }
    if (facts.group().isEmpty()
        && facts.everStarted()
        && !memory.replacing
        && memory.operation == null
        && "Never".equals(facts.pod().getSpec().getRestartPolicy())) {
      fail("ContainerStatusUnknown", "The containerVM was removed while the pod was running");
    }
  }

  private void fail(String reason, String message) {
    memory.verdict = new Rejection(reason, message);
  }

  private boolean over() {
    return facts.process() instanceof Exited exited && !facts.restarts(exited);
  }

  private Instant startTime() {
    String started = facts.previousPod().getStartTime();
    return started == null ? seen.memory().firstSeen() : Instant.parse(started);
  }

  private void keepRunning() {
    if (facts.imageChanged()) {
      replace();
      return;
    }
    int metadata = Volumes.metadataHash(facts.pod());
    if (!Volumes.changing(facts.pod())) {
      return;
    }
    boolean changed =
        memory.refreshedAt != null
            && memory.refreshedMetadata != metadata
            && Volumes.ofMetadata(facts.pod());
    Instant due = memory.refreshedAt == null ? now : memory.refreshedAt.plus(seen.volumeRefresh());
    if (changed || !now.isBefore(due)) {
      begin(new Action.RefreshVolumes());
    } else {
      wake(due);
    }
  }

  private void replace() {
    if (facts.running()) {
      if (begin(new Action.StopProcess(specifiedGrace()))) {
        events.add(
            PodEvent.normal(
                "Killing",
                "Container %s definition changed, will be restarted"
                    .formatted(facts.container().getName())));
      }
    } else if (begin(new Action.DestroyGroup())) {
      memory.replacing = true;
      memory.image = null;
    }
  }

  private void startFirst() {
    if (waits()) {
      return;
    }
    if (facts.group().isPresent()) {
      begin(new Action.StartProcess(facts.firstAttempt()));
    } else if (memory.image == null
        || !memory.image.specified().equals(facts.container().getImage())) {
      begin(new Action.PullImage());
    } else if (begin(new Action.CreateGroup(facts.nextFirstAttempt()))) {
      memory.cleared = false;
    }
  }

  /** Whether the last failure is too recent for another try. */
  private boolean waits() {
    Problem problem = memory.problem;
    if (problem == null || memory.operation != null) {
      return false;
    }
    announce(problem);
    Instant retryAt = seen.memory().retryAt().orElse(now);
    if (!now.isBefore(retryAt)) {
      return false;
    }
    wake(retryAt);
    return true;
  }

  /** What failed on the pod's way up is no reason to wait on its way down. */
  private boolean waitsToGo() {
    return memory.problem != null && memory.problem.kind().ofRemoval() && waits();
  }

  private void announce(Problem problem) {
    if (problem.kind() != Problem.Kind.IMAGE_PULL || memory.announced) {
      return;
    }
    if (now.isBefore(problem.since().plus(SHOW_PULL_ERROR))) {
      wake(problem.since().plus(SHOW_PULL_ERROR));
      return;
    }
    memory.announced = true;
    events.add(
        PodEvent.normal(
            "BackOff", "Back-off pulling image \"%s\"".formatted(facts.container().getImage())));
    events.add(PodEvent.warning("Failed", "Error: ImagePullBackOff"));
  }

  private void restart(Exited exited) {
    if (memory.operation != null) {
      return;
    }
    Optional<BackOff> backOff = Optional.ofNullable(memory.restartBackOff);
    Optional<Instant> until = BackOff.until(backOff, exited.finishedAt(), now);
    if (until.isPresent()) {
      wake(until.get());
      announceRestart(exited);
    } else if (!waits() && begin(new Action.StartProcess(exited.attempt() + 1))) {
      memory.restartBackOff = BackOff.next(backOff, exited.finishedAt(), now);
    }
  }

  private void announceRestart(Exited exited) {
    if (memory.announcedAttempt != exited.attempt()) {
      memory.announcedAttempt = exited.attempt();
      events.add(
          PodEvent.warning(
              "BackOff",
              "Back-off restarting failed container %s in pod %s"
                  .formatted(facts.container().getName(), PodText.name(facts.pod()))));
    }
  }

  /** The pod is over: nothing may run any more, and its log stays. */
  private void settle() {
    if (interruptStart()) {
      return;
    }
    if (facts.running()) {
      stop(specifiedGrace());
    } else if (facts.vm().filter(vm -> vm.power() == PowerState.ON).isPresent()) {
      begin(new Action.PowerOff());
    }
  }

  private void delete() {
    Long seconds = facts.pod().getMetadata().getDeletionGracePeriodSeconds();
    tearDown(seconds == null ? specifiedGrace() : Duration.ofSeconds(Math.max(1, seconds)));
    if (memory.operation != null || begin != null) {
      return;
    }
    if (memory.objectDeletedAt == null
        || !now.isBefore(memory.objectDeletedAt.plus(DELETE_AGAIN))) {
      if (!waitsToGo()) {
        begin(new Action.DeleteObject());
      }
    } else {
      wake(memory.objectDeletedAt.plus(DELETE_AGAIN));
    }
  }

  private void tearDown(Duration grace) {
    if (interruptStart()) {
      return;
    }
    if (memory.operation instanceof Action.StopProcess(Duration asked)) {
      if (grace.compareTo(asked) < 0) {
        memory.operation = new Action.StopProcess(grace);
        shorten = grace;
      }
    } else if (facts.running() && !unstoppable()) {
      stop(grace);
    } else if ((!memory.cleared || facts.group().isPresent()) && !waitsToGo()) {
      begin(new Action.DestroyGroup());
    }
  }

  private boolean unstoppable() {
    return memory.problem != null && memory.problem.kind() == Problem.Kind.STOP;
  }

  private void stop(Duration grace) {
    if (unstoppable()) {
      begin(new Action.PowerOff());
    } else if (begin(new Action.StopProcess(grace))) {
      events.add(PodEvent.normal("Killing", "Stopping container " + facts.container().getName()));
    }
  }

  private boolean interruptStart() {
    if (memory.operation != null && memory.operation.starts()) {
      cancel = true;
      return true;
    }
    return false;
  }

  private Duration specifiedGrace() {
    Long seconds = facts.pod().getSpec().getTerminationGracePeriodSeconds();
    return Duration.ofSeconds(seconds == null ? 30 : Math.max(1, seconds));
  }

  private Duration forcedGrace() {
    Duration specified = specifiedGrace();
    return specified.compareTo(FORCED_GRACE) < 0 ? specified : FORCED_GRACE;
  }

  private boolean begin(Action action) {
    if (memory.operation != null) {
      return false;
    }
    memory.operation = action;
    begin = action;
    return true;
  }

  private void wake(Instant at) {
    if (wakeAt == null || at.isBefore(wakeAt)) {
      wakeAt = at;
    }
  }
}
