package dev.berth.portlayer.compute;

import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import java.time.Instant;

/** Tells as events what has become different between two observations of a containerVM. */
public final class Changes {
  private final EventLog events;

  public Changes(EventLog events) {
    this.events = events;
  }

  /** Appends what the guest did between the two; of the power, the backend knows more. */
  public void tell(String groupId, ContainerVm before, ContainerVm after) {
    String id = after.spec().id();
    if (after.ready() && !before.ready()) {
      tell(groupId, id, PortLayerEvent.Type.VM_READY, "");
    }
    if (after.process().equals(before.process())) {
      return;
    }
    switch (after.process()) {
      case NotStarted() -> {}
      case Running running ->
          tell(groupId, id, PortLayerEvent.Type.PROCESS_STARTED, "attempt " + running.attempt());
      case Exited exited -> {
        // One that was over before anybody looked.
        if (!ran(before.process(), exited.attempt()) && exited.reason() != Reason.START_ERROR) {
          tell(groupId, id, PortLayerEvent.Type.PROCESS_STARTED, "attempt " + exited.attempt());
        }
        tell(
            groupId,
            id,
            PortLayerEvent.Type.PROCESS_EXITED,
            "attempt %d, exit code %d".formatted(exited.attempt(), exited.exitCode()));
      }
    }
  }

  private static boolean ran(ProcessState before, int attempt) {
    return switch (before) {
      case NotStarted() -> false;
      case Running running -> running.attempt() == attempt;
      case Exited exited -> exited.attempt() == attempt;
    };
  }

  private void tell(String groupId, String id, PortLayerEvent.Type type, String detail) {
    events.append(new PortLayerEvent(Instant.now(), type, id, groupId, detail));
  }
}
