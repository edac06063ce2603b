package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.local.host.HostProcess;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is of record of a VM beyond its specification and its guest's own words.
 *
 * @param poweredOn whether it was powered on and nobody has seen it end
 * @param qemu its process; empty between the decision to start it and its start
 * @param bootBefore the boot that its state told of when it was powered on
 * @param losses when the VM of a boot went away
 */
record MachineRecord(
    boolean poweredOn, Optional<HostProcess> qemu, String bootBefore, Map<String, Instant> losses) {
  MachineRecord {
    losses = Map.copyOf(losses);
  }

  static MachineRecord initial() {
    return new MachineRecord(false, Optional.empty(), "", Map.of());
  }

  MachineRecord starting(String boot) {
    return new MachineRecord(true, Optional.empty(), boot, losses);
  }

  MachineRecord running(HostProcess process) {
    return new MachineRecord(true, Optional.of(process), bootBefore, losses);
  }

  MachineRecord ended(String boot, Instant time) {
    Map<String, Instant> all = new LinkedHashMap<>(losses);
    all.putIfAbsent(boot, time);
    return new MachineRecord(false, Optional.empty(), bootBefore, all);
  }
}
