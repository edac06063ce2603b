package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.Changes;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.StateLog;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostProcess;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known of one machine: its record and its guest's words, as one observation that can be
 * waited for. Every change is told as an event. Safe for use by many threads.
 */
final class MachineState {
  private static final Logger LOG = LoggerFactory.getLogger(MachineState.class);

  private final String groupId;
  private final ContainerVmSpec spec;
  private final VmFiles files;
  private final EventLog events;
  private final Changes changes;
  private final GuestState guest;
  private MachineRecord record;
  private ContainerVm seen;

  MachineState(String groupId, ContainerVmSpec spec, VmFiles files, EventLog events) {
    this.groupId = groupId;
    this.spec = spec;
    this.files = files;
    this.events = events;
    this.changes = new Changes(events);
    this.record =
        AtomicFiles.read(files.record(), MachineRecord.class).orElseGet(MachineRecord::initial);
    this.guest = new GuestState(files.state(), this::lostAt);
    guest.read();
    this.seen = look();
  }

  synchronized ContainerVm observe() {
    return seen;
  }

  synchronized boolean poweredOn() {
    return record.poweredOn();
  }

  synchronized Optional<HostProcess> qemu() {
    return record.qemu();
  }

  /** Of record before QEMU is started, so that one that was started is never forgotten. */
  synchronized void starting() {
    guest.read();
    save(record.starting(guest.boot()));
    update();
  }

  synchronized void running(HostProcess process) {
    save(record.running(process));
    tell(PortLayerEvent.Type.VM_POWERED_ON, "process " + process.pid());
    update();
  }

  /**
   * The VM has gone.
   *
   * @return whether it was on until now
   */
  synchronized boolean ended(Instant time) {
    if (!record.poweredOn()) {
      return false;
    }
    guest.read();
    try {
      save(record.ended(guest.boot(), time));
    } catch (PortLayerException e) {
      // It has ended all the same: who opens the record again sees that there is no such process.
      LOG.error("state of containerVM {}: {}", spec.id(), e.getMessage());
    }
    update();
    tell(PortLayerEvent.Type.VM_POWERED_OFF, "");
    return true;
  }

  /** Looks at what the guest has said since. */
  synchronized void refresh() {
    try {
      guest.read();
      update();
    } catch (PortLayerException e) {
      LOG.error("state of containerVM {}: {}", spec.id(), e.getMessage());
    }
  }

  /**
   * Waits until the machine is as wanted.
   *
   * @return the observation; empty when the deadline passed first
   */
  synchronized Optional<ContainerVm> await(Predicate<ContainerVm> wanted, long deadline) {
    while (!wanted.test(seen)) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return Optional.empty();
      }
      try {
        wait(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for containerVM " + spec.id(), e);
      }
    }
    return Optional.of(seen);
  }

  private void update() {
    ContainerVm before = seen;
    seen = look();
    if (seen.equals(before)) {
      return;
    }
    notifyAll();
    changes.tell(groupId, before, seen);
  }

  private ContainerVm look() {
    PowerState power = record.poweredOn() ? PowerState.ON : PowerState.OFF;
    StateLog.Observation observed = guest.observe(power, record.bootBefore());
    return new ContainerVm(spec, power, observed.ready(), observed.process(), observed.history());
  }

  /** A boot whose end nobody saw cannot be asked for: {@link #ended} comes first. */
  private Instant lostAt(String boot) {
    Map<String, Instant> losses = record.losses();
    return losses.getOrDefault(boot, Instant.EPOCH);
  }

  private void save(MachineRecord changed) {
    record = changed;
    AtomicFiles.write(files.record(), changed);
  }

  private void tell(PortLayerEvent.Type type, String detail) {
    events.append(new PortLayerEvent(Instant.now(), type, spec.id(), groupId, detail));
  }
}
