package dev.berth.portlayer.compute;

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
}
