package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.Group;
import dev.berth.provider.lifecycle.Action;
import dev.berth.provider.lifecycle.Completion;
import dev.berth.provider.lifecycle.Decision;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.Observation;
import dev.berth.provider.lifecycle.Outcome;
import dev.berth.provider.lifecycle.PodMachine;
import dev.berth.provider.lifecycle.PodMemory;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One pod's virtual thread. It sleeps until something happened, looks at everything again, and does
 * what the machine decides; long actions run beside it, one at a time, so that it can end them.
 */
final class PodWorker {
  private static final Logger LOG = LoggerFactory.getLogger(PodWorker.class);

  /**
   * How long a status may wait that will be another in a moment; after each one as long again as
   * the pod is old, so that a machine that is too busy to start pods is not busy telling of it.
   */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final Duration LONGEST_PATIENCE = Duration.ofSeconds(10);

  private static final Duration RETRY = Duration.ofSeconds(1);

  private final PodContext context;
  private final String uid;
  private final long seenAt = System.nanoTime();
  private final BlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private final StatusKeeper status;
  private final Pulse pulse = new Pulse();
  private final Thread thread;
  private volatile Pod pod;
  private volatile boolean gone;
  private PodMemory memory = PodMemory.begin(Instant.now());
  private Instant showPassingFrom = memory.firstSeen().plus(PATIENCE);
  private boolean admitted;
  private @Nullable Thread operation;

  private sealed interface Message {
    record Wake() implements Message {}

    record Completed(Action action, Outcome outcome) implements Message {}
  }

  PodWorker(PodContext context, Pod pod) {
    this.context = context;
    this.pod = pod;
    this.uid = pod.getMetadata().getUid();
    this.status = new StatusKeeper(context, pod);
    this.thread = Thread.ofVirtual().name("pod-" + uid).unstarted(this::run);
  }

  void start() {
    thread.start();
    wake();
  }

  /** The pod as it is now at the API server. */
  void update(Pod changed) {
    SpecChange.refused(pod, changed).forEach(event -> context.events().tell(changed, event));
    pod = changed;
    wake();
  }

  /** The API server has the pod no more. */
  void removed(Pod last) {
    pod = last;
    gone = true;
    wake();
  }

  void wake() {
    if (woken.compareAndSet(false, true)) {
      mailbox.add(new Message.Wake());
    }
  }

  /** Ends the thread and what it is doing, and leaves the pod running. */
  void stop() {
    thread.interrupt();
  }

  /** Waits for the end of the thread; false when it did not come in time. */
  boolean join(Duration patience) throws InterruptedException {
    return thread.join(patience);
  }

  Pod pod() {
    return pod;
  }

  boolean gone() {
    return gone;
  }

  /** The pod with the status that this process knows to be right. */
  Pod present() {
    return status.present(pod);
  }

  /** Why the pod is not looked after; empty when it is. */
  Optional<String> trouble(Duration patience) {
    return thread.getState() != Thread.State.TERMINATED
        ? pulse
            .stuck(patience)
            .map(time -> "pod %s has been looked at for %d s".formatted(uid, time.toSeconds()))
        : Optional.of("nobody looks after pod " + uid);
  }

  private void run() {
    Duration wait = context.timing().resync();
    try {
      while (true) {
        Message first = mailbox.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
        pulse.begin();
        receive(first);
        Optional<Duration> next = step();
        pulse.end();
        if (next.isEmpty()) {
          context.finished(this);
          return;
        }
        wait = next.get();
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } finally {
      interruptOperation();
    }
  }

  private void receive(@Nullable Message first) {
    List<Message> messages = new ArrayList<>();
    if (first != null) {
      messages.add(first);
    }
    woken.set(false);
    mailbox.drainTo(messages);
    for (Message message : messages) {
      if (message instanceof Message.Completed(Action action, Outcome outcome)) {
        operation = null;
        Completion completion = Completion.of(pod, memory, action, outcome, Instant.now());
        memory = completion.memory();
        completion.events().forEach(event -> context.events().tell(pod, event));
      }
    }
  }

  /** How long to sleep; empty when nothing is left to do. */
  private Optional<Duration> step() throws InterruptedException {
    try {
      return look();
    } catch (PortLayerException failure) {
      if (failure.code() == PortLayerException.Code.INTERRUPTED) {
        throw new InterruptedException(failure.getMessage());
      }
      LOG.warn("Pod {}: {}", uid, failure.getMessage());
      return Optional.of(RETRY);
    } catch (RuntimeException defect) {
      LOG.error("Pod {}", uid, defect);
      return Optional.of(RETRY.multipliedBy(10));
    }
  }

  private Optional<Duration> look() {
    Pod seen = pod;
    Optional<Group> group = context.portLayer().compute().find(Names.group(uid));
    admit(seen, group.isPresent());
    Instant now = Instant.now();
    Decision decision =
        PodMachine.decide(
            new Observation(
                seen,
                gone,
                status.known(seen),
                group,
                memory,
                context.hostAddresses(),
                context.timing().volumeRefresh(),
                now));
    return carryOut(seen, decision, now);
  }

  private void admit(Pod seen, boolean present) {
    if (admitted) {
      return;
    }
    admitted = true;
    boolean over = StatusKeeper.terminal(seen) || seen.getMetadata().getDeletionTimestamp() != null;
    if (!over) {
      context
          .admission()
          .admit(seen, present)
          .ifPresent(
              why -> {
                memory = memory.rejected(why);
                context.rejected(seen, why);
              });
    }
  }

  private Optional<Duration> carryOut(Pod seen, Decision decision, Instant now) {
    boolean hurry = !decision.passing() || !now.isBefore(showPassingFrom);
    boolean shown =
        decision.status().isEmpty() || !hurry || status.show(seen, decision.status().get());
    if (!shown && decision.begin().filter(Action.DestroyGroup.class::isInstance).isPresent()) {
      // How the container ended is known from the group only: it stays until that is told.
      return Optional.of(RETRY);
    }
    if (shown && hurry && decision.passing()) {
      Duration age = Duration.between(decision.memory().firstSeen(), now);
      showPassingFrom = now.plus(shorter(age, LONGEST_PATIENCE));
    }
    memory = decision.memory();
    decision.events().forEach(event -> context.events().tell(seen, event));
    if (decision.cancel()) {
      interruptOperation();
    }
    decision.shorten().ifPresent(grace -> context.shorten(seen, grace));
    decision.begin().ifPresent(action -> begin(seen, action));
    if (decision.finished()) {
      return Optional.empty();
    }
    return Optional.of(sleep(decision, now, hurry, shown));
  }

  private Duration sleep(Decision decision, Instant now, boolean hurry, boolean shown) {
    Duration sleep = context.timing().resync();
    if (decision.wakeAt().isPresent()) {
      sleep = shorter(sleep, Duration.between(now, decision.wakeAt().get()));
    }
    if (!hurry) {
      sleep = shorter(sleep, Duration.between(now, showPassingFrom));
    }
    if (!shown) {
      sleep = shorter(sleep, RETRY);
    }
    return sleep.isNegative() ? Duration.ZERO : sleep;
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) <= 0 ? one : other;
  }

  private void begin(Pod seen, Action action) {
    PodMemory known = memory;
    boolean first = known.problem().isEmpty() && known.refreshedAt().isEmpty();
    long notBefore = first ? seenAt : System.nanoTime();
    operation =
        Thread.ofVirtual()
            .name("pod-" + uid + "-" + action.getClass().getSimpleName())
            .start(
                () -> {
                  Outcome outcome =
                      context
                          .executor()
                          .run(
                              action,
                              seen,
                              known,
                              notBefore,
                              event -> context.events().tell(seen, event));
                  mailbox.add(new Message.Completed(action, outcome));
                });
  }

  private void interruptOperation() {
    Thread running = operation;
    if (running != null) {
      running.interrupt();
    }
  }
}
