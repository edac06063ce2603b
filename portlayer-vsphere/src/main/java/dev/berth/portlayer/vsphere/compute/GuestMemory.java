package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GuestReport;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.vsphere.compute.Attempts.Begun;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one containerVM's attempts: from its guest's last words, from those before, and
 * from its power. Used by one thread at a time.
 */
final class GuestMemory {
  private static final int KILLED = 137;

  private Attempts attempts;
  private PowerState power = PowerState.OFF;
  private @Nullable GuestReport report;
  private @Nullable Running running;

  /** The boot that {@link #running} is of. */
  private String runningBoot = "";

  /** What was told by this one is not of a VM that is on. */
  private String bootBefore = "";

  /**
   * Takes over what an earlier control plane knew.
   *
   * @param attempts of record
   * @param told the guest's last words
   */
  GuestMemory(Attempts attempts, Optional<GuestReport> told, PowerState now, Instant time) {
    this.attempts = attempts;
    power = PowerState.ON;
    told.ifPresent(words -> hear(words, time));
    if (told.isEmpty()) {
      lose(time);
    }
    power(now, time);
  }

  Attempts attempts() {
    return attempts;
  }

  Optional<GuestReport> report() {
    return Optional.ofNullable(report);
  }

  /**
   * Takes what vCenter tells at once.
   *
   * @param told the guest's last words, of this boot or an earlier one
   */
  void see(PowerState now, Optional<GuestReport> told, Instant time) {
    if (now == PowerState.ON) {
      power(now, time);
    }
    told.ifPresent(words -> hear(words, time));
    power(now, time);
  }

  /** Takes what a guest tells: what is older than what it told before changes nothing. */
  void hear(GuestReport told, Instant time) {
    if (power == PowerState.ON && told.bootId().equals(bootBefore)) {
      return;
    }
    GuestReport before = report;
    if (before != null
        && before.bootId().equals(told.bootId())
        && before.sequence() >= told.sequence()) {
      return;
    }
    if (!boot().orElse(told.bootId()).equals(told.bootId())) {
      lose(time);
    }
    report = told;
    told.process().ifPresent(process -> take(process, told.bootId()));
  }

  /** Of the attempt that runs, or that a guest was asked for. */
  private Optional<String> boot() {
    return running == null ? attempts.begun().map(Begun::bootId) : Optional.of(runningBoot);
  }

  private void take(ProcessState process, String boot) {
    switch (process) {
      case ProcessState.NotStarted() -> {}
      case Running now -> {
        if (power == PowerState.ON && isAfter(now.attempt())) {
          running = now;
          runningBoot = boot;
        }
      }
      case Exited exited -> {
        boolean late =
            attempts
                .last()
                .filter(last -> last.attempt() == exited.attempt())
                .filter(last -> last.reason() == Reason.VM_LOST)
                .isPresent();
        if (late || isAfter(exited.attempt())) {
          attempts = attempts.end(exited);
          running = null;
        }
      }
    }
  }

  private boolean isAfter(int attempt) {
    return attempts.last().map(last -> attempt > last.attempt()).orElse(true);
  }

  /** What runs, or may have been started, has ended with its VM. */
  private void lose(Instant time) {
    Optional.ofNullable(running)
        .or(() -> attempts.begun().map(begun -> new Running(begun.attempt(), begun.at())))
        .ifPresent(lost -> attempts = attempts.end(lost(lost, time)));
    running = null;
  }

  private static Exited lost(Running running, Instant time) {
    Instant end = time.isBefore(running.startedAt()) ? running.startedAt() : time;
    return new Exited(running.attempt(), running.startedAt(), end, KILLED, 0, Reason.VM_LOST, "");
  }

  private void power(PowerState now, Instant time) {
    if (now == PowerState.OFF) {
      lose(time);
    } else if (power == PowerState.OFF) {
      // Until another boot tells something, nothing is known of the present one.
      bootBefore = report().map(GuestReport::bootId).orElse("");
      report = null;
    }
    power = now;
  }

  /** Notes that the guest will be asked for an attempt. */
  void begin(int attempt, Instant time) {
    attempts = attempts.begin(attempt, report().map(GuestReport::bootId).orElse(""), time);
  }

  /** Notes that the guest has refused the attempt that it was asked for. */
  void refuse() {
    attempts = attempts.refuse();
  }

  ContainerVm observe(ContainerVmSpec spec) {
    boolean ready = power == PowerState.ON && report().filter(GuestReport::ready).isPresent();
    List<Exited> ended = attempts.ended();
    if (running != null && power == PowerState.ON) {
      return new ContainerVm(spec, power, ready, running, ended);
    }
    if (ended.isEmpty()) {
      return new ContainerVm(spec, power, ready, new ProcessState.NotStarted(), List.of());
    }
    return new ContainerVm(spec, power, ready, ended.getLast(), ended.subList(0, ended.size() - 1));
  }
}
