package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.interaction.CriLog;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.LogSource;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.interaction.Statistics;
import java.util.OptionalInt;

/** Through the tethers; logs from where the hypervisor wrote them. */
public final class TetherInteraction implements InteractionService {
  private final Guests guests;

  /** A backend's containerVMs. Every method fails with NOT_FOUND when there is none of the id. */
  public interface Guests {
    ContainerVm observe(String containerVmId);

    TetherClient tether(String containerVmId);

    /**
     * What the hypervisor wrote.
     *
     * @param following whether its reader waits for more
     * @return closed by the caller
     */
    LogSource log(String containerVmId, boolean following);
  }

  public TetherInteraction(Guests guests) {
    this.guests = guests;
  }

  @Override
  public ProcessSession exec(String containerVmId, ExecSpec spec) {
    return running(containerVmId).exec(spec);
  }

  @Override
  public ProcessSession attach(String containerVmId, boolean stdin) {
    return running(containerVmId).attach(stdin);
  }

  @Override
  public LogReader logs(String containerVmId, LogRequest request) {
    return CriLog.open(
        guests.log(containerVmId, request.follow()), request, new Attempts(guests, containerVmId));
  }

  @Override
  public void signal(String containerVmId, String signal) {
    running(containerVmId).signal(signal);
  }

  @Override
  public ProcessSession forwardPort(String containerVmId, int port) {
    return running(containerVmId).forwardPort(port);
  }

  @Override
  public Statistics statistics(String containerVmId) {
    var _ = guests.observe(containerVmId).requireReady();
    return guests.tether(containerVmId).statistics();
  }

  private TetherClient running(String id) {
    if (!(guests.observe(id).process() instanceof ProcessState.Running)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "containerVM %s: its process does not run".formatted(id));
    }
    return guests.tether(id);
  }

  /** The tether writes the last of a log before it tells the end of the attempt. */
  private record Attempts(Guests guests, String id) implements CriLog.Attempts {
    @Override
    public OptionalInt last() {
      int last = guests.observe(id).lastAttempt();
      return last < 0 ? OptionalInt.empty() : OptionalInt.of(last);
    }

    @Override
    public boolean isOver(int attempt) {
      ContainerVm vm = guests.observe(id);
      return vm.lastAttempt() > attempt
          || (vm.process() instanceof ProcessState.Exited exited && exited.attempt() == attempt);
    }
  }
}
