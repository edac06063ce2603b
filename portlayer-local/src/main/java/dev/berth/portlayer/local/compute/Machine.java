package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ResourcePool;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.FileWatcher;
import dev.berth.portlayer.local.host.HostProcess;
import dev.berth.portlayer.tether.TetherClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One containerVM of this host: a QEMU that may outlive this object, and be found again. */
final class Machine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

  /** A guest needs this long at most to power itself off once its process is over. */
  private static final Duration SHUTDOWN = Duration.ofSeconds(10);

  private static final Duration KILL = Duration.ofSeconds(30);

  private final Environment environment;
  private final ResourcePool pool;
  private final ContainerVmSpec spec;
  private final VmFiles files;
  private final MachineState state;
  private final FileWatcher.Watch watch;

  /** Held by whoever changes the power; never by who observes or sees the end. */
  private final ReentrantLock power = new ReentrantLock();

  private volatile boolean closed;
  private @Nullable TetherClient tether;
  private @Nullable ExitWatch exitWatch;

  Machine(
      Environment environment,
      ResourcePool pool,
      String groupId,
      ContainerVmSpec spec,
      Path directory) {
    this.environment = environment;
    this.pool = pool;
    this.spec = spec;
    this.files = new VmFiles(spec.id(), AtomicFiles.directory(directory), environment.sockets());
    this.state = new MachineState(groupId, spec, files, environment.events());
    this.watch = environment.watcher().watch(files.directory(), state::refresh);
    // What was written between the first look and the watch.
    state.refresh();
  }

  ContainerVmSpec spec() {
    return spec;
  }

  VmFiles files() {
    return files;
  }

  MachineState state() {
    return state;
  }

  ContainerVm observe() {
    return state.observe();
  }

  /** Takes over what an earlier control plane left, running or not. */
  void adopt() {
    if (!state.poweredOn()) {
      return;
    }
    Optional<HostProcess> process =
        state.qemu().or(() -> QemuProcess.findUnrecorded(files)).filter(HostProcess::alive);
    if (process.isEmpty()) {
      ended(lastSign());
      return;
    }
    HostProcess qemu = process.get();
    pool.adopt(spec);
    if (state.qemu().isEmpty()) {
      state.running(qemu);
    }
    exitWatch = new ExitWatch(qemu, files.monitor(), () -> ended(Instant.now()));
    try {
      spec.nics().forEach(environment.network()::repair);
    } catch (PortLayerException e) {
      LOG.error("containerVM {} has no network: {}", spec.id(), e.getMessage());
    }
  }

  void powerOn(Optional<InitialProcess> initial, long deadline) {
    power.lock();
    try {
      if (!state.poweredOn()) {
        Optional<InitialProcess> fresh =
            initial.filter(process -> observe().isNew(process.attempt()));
        pool.admit(spec);
        boot(fresh);
      }
      awaitReady(deadline);
    } finally {
      power.unlock();
    }
    initial.ifPresent(this::require);
  }

  private void boot(Optional<InitialProcess> initial) {
    try {
      new PowerOn(environment, spec, files, state).run(initial, () -> ended(Instant.now()));
      if (!state.qemu().filter(HostProcess::alive).isPresent()) {
        ended(Instant.now());
      }
    } catch (RuntimeException e) {
      if (!state.qemu().filter(HostProcess::alive).isPresent()) {
        ended(Instant.now());
        pool.release(spec.id());
      }
      throw e;
    }
  }

  private void awaitReady(long deadline) {
    Optional<ContainerVm> seen =
        state.await(vm -> vm.ready() || vm.power() == PowerState.OFF, deadline);
    String said = "its console said last: " + QemuProcess.lastLine(files.console());
    if (seen.isEmpty()) {
      throw new PortLayerException(
          Code.DEADLINE_EXCEEDED, "containerVM %s is not ready yet; %s".formatted(spec.id(), said));
    }
    if (seen.get().power() == PowerState.OFF) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          "containerVM %s did not boot; %s; QEMU: %s"
              .formatted(spec.id(), said, QemuProcess.lastLine(files.output())));
    }
    state
        .qemu()
        .ifPresent(
            qemu ->
                environment
                    .cpuGroup()
                    .limit(spec.id(), qemu.pid(), spec.resources().cpuLimitMillis()));
  }

  /** Gives the guest a process that it did not get, or did not take, while it booted. */
  private void require(InitialProcess initial) {
    if (requireReady().isNew(initial.attempt())) {
      initial.volumes().forEach(tether()::writeVolume);
      start(initial.attempt(), initial.process());
    }
  }

  void powerOff(Duration gracePeriod) {
    power.lock();
    try {
      if (state.observe().ready()) {
        shutDown(gracePeriod);
      }
      cutLocked();
    } finally {
      power.unlock();
    }
  }

  private void shutDown(Duration gracePeriod) {
    try {
      // First alone, so that its end is of record whatever becomes of the guest.
      stop(gracePeriod);
      tether().shutdown(Duration.ZERO);
      var _ =
          state.await(vm -> vm.power() == PowerState.OFF, System.nanoTime() + SHUTDOWN.toNanos());
    } catch (PortLayerException e) {
      if (e.code() == Code.INTERRUPTED) {
        throw e;
      }
      LOG.info("containerVM {} is cut off: {}", spec.id(), e.getMessage());
    }
  }

  /** Powers off at once. Idempotent. */
  void cut() {
    // Whoever waits for readiness under the lock sees the power go, and lets go of the lock.
    state.qemu().ifPresent(HostProcess::kill);
    power.lock();
    try {
      cutLocked();
    } finally {
      power.unlock();
    }
  }

  private void cutLocked() {
    state.qemu().ifPresent(HostProcess::kill);
    var _ =
        state
            .await(vm -> vm.power() == PowerState.OFF, System.nanoTime() + KILL.toNanos())
            .orElseThrow(
                () ->
                    new PortLayerException(
                        Code.INTERNAL,
                        "containerVM %s: QEMU did not end although it was killed"
                            .formatted(spec.id())));
  }

  /** QEMU has gone, by whatever hand. */
  private void ended(Instant time) {
    synchronized (files) {
      if (closed || !state.poweredOn()) {
        return;
      }
      closeConnections();
      Stream.of(files.control(), files.monitor(), files.processId()).forEach(AtomicFiles::delete);
      spec.nics().forEach(environment.network()::unplug);
      environment.cpuGroup().remove(spec.id());
      pool.release(spec.id());
      state.ended(time);
    }
  }

  /** When a QEMU whose end nobody saw was last known to run. */
  private Instant lastSign() {
    return Stream.of(files.state(), files.log(), files.console(), files.record())
        .map(file -> Instant.ofEpochMilli(file.toFile().lastModified()))
        .max(Instant::compareTo)
        .orElseGet(Instant::now);
  }

  ContainerVm start(int attempt, ProcessSpec process) {
    ContainerVm vm = requireReady();
    if (!vm.isNew(attempt)) {
      return vm;
    }
    tether().start(attempt, process, disk -> BootConfiguration.serial(spec, disk));
    return awaitState(seen -> seen.lastAttempt() >= attempt);
  }

  ContainerVm stop(Duration gracePeriod) {
    ContainerVm vm = observe();
    if (!(vm.process() instanceof ProcessState.Running running)) {
      return vm;
    }
    tether().stop(gracePeriod);
    return awaitState(
        seen ->
            !(seen.process() instanceof ProcessState.Running now)
                || now.attempt() != running.attempt());
  }

  /** What a call to the guest has answered comes through the state port too, an instant later. */
  private ContainerVm awaitState(java.util.function.Predicate<ContainerVm> wanted) {
    return state
        .await(
            vm -> wanted.test(vm) || vm.power() == PowerState.OFF,
            System.nanoTime() + SHUTDOWN.toNanos())
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.UNAVAILABLE,
                    "containerVM %s does not tell its state".formatted(spec.id())));
  }

  ContainerVm requireReady() {
    return observe().requireReady();
  }

  synchronized TetherClient tether() {
    if (tether == null) {
      tether = environment.tethers().client(spec.id(), files.control());
    }
    return tether;
  }

  private synchronized void closeConnections() {
    if (tether != null) {
      tether.close();
      tether = null;
    }
    if (exitWatch != null) {
      exitWatch.close();
      exitWatch = null;
    }
  }

  /** Leaves the VM as it is. */
  @Override
  public void close() {
    synchronized (files) {
      // From here on it is another control plane's to see the end.
      closed = true;
    }
    watch.close();
    closeConnections();
  }
}
