package dev.berth.portlayer.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.util.List;
import java.util.Objects;

/**
 * A containerVM as observed.
 *
 * @param power whether the VM runs
 * @param ready whether the guest has booted and its tether takes a process; false when powered off
 * @param process its last attempt
 * @param history earlier attempts that ended, oldest first; at least the last one is kept
 */
public record ContainerVm(
    ContainerVmSpec spec,
    PowerState power,
    boolean ready,
    ProcessState process,
    List<ProcessState.Exited> history) {
  public ContainerVm {
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(power, "power");
    Objects.requireNonNull(process, "process");
    history = List.copyOf(history);
    if (power == PowerState.OFF && (ready || process instanceof ProcessState.Running)) {
      throw new IllegalArgumentException("nothing runs in a VM that is powered off");
    }
  }

  /** The number of the attempt that began last; -1 when none ever did. */
  public int lastAttempt() {
    return switch (process) {
      case ProcessState.NotStarted() -> -1;
      case ProcessState.Running running -> running.attempt();
      case ProcessState.Exited exited -> exited.attempt();
    };
  }

  /**
   * Whether an attempt is yet to be made.
   *
   * @throws PortLayerException FAILED_PRECONDITION when it cannot be: another runs, or a later one
   *     was made
   */
  public boolean isNew(int attempt) {
    int last = lastAttempt();
    boolean runs = process instanceof ProcessState.Running;
    if (attempt < last || (runs && attempt != last)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "containerVM %s: attempt %d cannot start: attempt %d %s"
              .formatted(spec.id(), attempt, last, runs ? "runs" : "was before it"));
    }
    return attempt != last;
  }

  /**
   * This containerVM, which takes a process.
   *
   * @throws PortLayerException FAILED_PRECONDITION when it does not
   */
  public ContainerVm requireReady() {
    if (!ready) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "containerVM %s is %s: power it on first"
              .formatted(spec.id(), power == PowerState.OFF ? "off" : "booting"));
    }
    return this;
  }
}
