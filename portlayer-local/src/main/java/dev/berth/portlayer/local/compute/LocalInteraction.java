package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.interaction.CriLog;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.interaction.Statistics;
import dev.berth.portlayer.local.host.FileWatcher;
import java.util.OptionalInt;

/** Through the tether; logs from the file that QEMU wrote. */
public final class LocalInteraction implements InteractionService {
  private final LocalCompute compute;
  private final FileWatcher watcher;

  public LocalInteraction(LocalCompute compute, FileWatcher watcher) {
    this.compute = compute;
    this.watcher = watcher;
  }

  @Override
  public ProcessSession exec(String containerVmId, ExecSpec spec) {
    return running(containerVmId).tether().exec(spec);
  }

  @Override
  public ProcessSession attach(String containerVmId, boolean stdin) {
    return running(containerVmId).tether().attach(stdin);
  }

  @Override
  public LogReader logs(String containerVmId, LogRequest request) {
    Machine machine = compute.machine(containerVmId);
    return CriLog.open(new FileLogSource(machine.files(), watcher), request, new Attempts(machine));
  }

  @Override
  public void signal(String containerVmId, String signal) {
    running(containerVmId).tether().signal(signal);
  }

  @Override
  public ProcessSession forwardPort(String containerVmId, int port) {
    return running(containerVmId).tether().forwardPort(port);
  }

  @Override
  public Statistics statistics(String containerVmId) {
    Machine machine = compute.machine(containerVmId);
    machine.requireReady();
    return machine.tether().statistics();
  }

  private Machine running(String id) {
    Machine machine = compute.machine(id);
    if (!(machine.observe().process() instanceof ProcessState.Running)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "containerVM %s: its process does not run".formatted(id));
    }
    return machine;
  }

  /** The tether writes the last of a log before it tells the end of the attempt. */
  private record Attempts(Machine machine) implements CriLog.Attempts {
    @Override
    public OptionalInt last() {
      int last = Machine.lastAttempt(machine.observe().process());
      return last < 0 ? OptionalInt.empty() : OptionalInt.of(last);
    }

    @Override
    public boolean isOver(int attempt) {
      ProcessState process = machine.observe().process();
      return Machine.lastAttempt(process) > attempt
          || (process instanceof ProcessState.Exited exited && exited.attempt() == attempt);
    }
  }
}
