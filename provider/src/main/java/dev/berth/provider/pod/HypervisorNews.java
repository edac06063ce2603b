package dev.berth.provider.pod;

import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.PodEvent;
import java.util.Optional;

/** What the hypervisor does to containers by itself, as Kubernetes events. */
final class HypervisorNews {
  private HypervisorNews() {}

  /** Nothing when it is what pods tell of anyway. */
  static Optional<PodEvent> of(PortLayerEvent event) {
    String message = message(event);
    return switch (event.type()) {
      case VM_MIGRATED -> Optional.of(PodEvent.normal("Migrated", message));
      case VM_RESTARTED -> Optional.of(PodEvent.warning("RestartedElsewhere", message));
      case ALARM -> Optional.of(PodEvent.warning("HypervisorAlarm", message));
      case WARNING -> Optional.of(PodEvent.warning("HypervisorWarning", message));
      case NOTICE -> Optional.of(PodEvent.normal("HypervisorNotice", message));
      case GROUP_CREATED,
          GROUP_DESTROYED,
          VM_POWERED_ON,
          VM_READY,
          VM_POWERED_OFF,
          PROCESS_STARTED,
          PROCESS_EXITED,
          CAPACITY_CHANGED ->
          Optional.empty();
    };
  }

  private static String message(PortLayerEvent event) {
    String about =
        Names.container(event.subject()).map("container "::concat).orElse(event.subject());
    return about.isEmpty() || event.detail().contains(about)
        ? event.detail()
        : about + ": " + event.detail();
  }
}
