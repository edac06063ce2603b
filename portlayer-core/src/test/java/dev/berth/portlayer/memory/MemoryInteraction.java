package dev.berth.portlayer.memory;

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
import java.time.Instant;

/** Talks to emulated processes. */
final class MemoryInteraction implements InteractionService {
  private final World world;

  MemoryInteraction(World world) {
    this.world = world;
  }

  @Override
  public ProcessSession exec(String containerVmId, ExecSpec spec) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.EXEC);
    return vm.open(new MemorySession.Kind.Exec(spec));
  }

  @Override
  public ProcessSession attach(String containerVmId, boolean stdin) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.ATTACH);
    return vm.open(new MemorySession.Kind.Attach(stdin));
  }

  @Override
  public LogReader logs(String containerVmId, LogRequest request) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.LOGS);
    return CriLog.open(vm.log(), request, vm);
  }

  @Override
  public void signal(String containerVmId, String signal) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.SIGNAL);
    vm.signal(Signals.number(signal));
  }

  @Override
  public ProcessSession forwardPort(String containerVmId, int port) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.FORWARD_PORT);
    return vm.forward(port);
  }

  @Override
  public Statistics statistics(String containerVmId) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.STATISTICS);
    if (!vm.isOn()) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "containerVM %s is powered off: power it on first".formatted(containerVmId));
    }
    boolean running = vm.observe().process() instanceof ProcessState.Running;
    long memory = running ? 8L << 20 : 0;
    return new Statistics(
        Instant.now(), 1_000_000, memory, memory, 4096, 1L << 30, running ? 1 : 0, 0, 0);
  }
}
