package dev.berth.portlayer.vsphere.events;

import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a kind of vCenter's events means to the owner of a container.
 *
 * @param name as filters take it
 * @param about what it is told of
 * @param byOthers whether it is told only when somebody did it who is neither the control plane nor
 *     vCenter
 * @param type depends on the event for alarms
 * @param detail for people, without anything that may be secret: a VM's configuration, above all
 */
record EventKind(
    String name,
    About about,
    boolean byOthers,
    Function<Event, PortLayerEvent.Type> type,
    Function<Event, String> detail) {
  private static final int LONGEST = 300;

  enum About {
    VM,
    HOST,
    ANY
  }

  private static final Map<String, EventKind> ALL =
      Stream.of(moves(), failures(), changes(), hosts(), messages())
          .flatMap(List::stream)
          .collect(Collectors.toMap(EventKind::name, kind -> kind));

  static Optional<EventKind> of(Event event) {
    return Optional.ofNullable(ALL.get(event.kind()));
  }

  /** The kinds to ask for. */
  static List<String> names(About... about) {
    return ALL.values().stream()
        .filter(kind -> Arrays.asList(about).contains(kind.about()))
        .map(EventKind::name)
        .sorted()
        .toList();
  }

  private static List<EventKind> moves() {
    Function<Event, String> moved =
        event -> "moved" + from(event) + to(event) + ", running as before";
    Function<Event, String> restarted =
        event -> "restarted by vSphere HA" + on(event) + after(event);
    return List.of(
        vm("VmMigratedEvent", PortLayerEvent.Type.VM_MIGRATED, moved),
        vm("DrsVmMigratedEvent", PortLayerEvent.Type.VM_MIGRATED, moved),
        vm("VmRelocatedEvent", PortLayerEvent.Type.VM_MIGRATED, moved),
        vm("com.vmware.vc.ha.VmRestartedByHAEvent", PortLayerEvent.Type.VM_RESTARTED, restarted),
        vm("VmRestartedOnAlternateHostEvent", PortLayerEvent.Type.VM_RESTARTED, restarted));
  }

  private static List<EventKind> failures() {
    return List.of(
        failure("VmFailedMigrateEvent", "cannot be moved to another host"),
        failure("VmRelocateFailedEvent", "cannot be moved to another host"),
        failure("VmFailoverFailed", "cannot be restarted by vSphere HA"),
        vm(
            "VmDisconnectedEvent",
            PortLayerEvent.Type.WARNING,
            event -> "its host" + is(event) + " out of reach"),
        vm(
            "VmConnectedEvent",
            PortLayerEvent.Type.NOTICE,
            event -> "its host" + is(event) + " within reach"),
        failureOfOthers("VmFailedToPowerOnEvent", "cannot be powered on"),
        failureOfOthers("VmFailedToPowerOffEvent", "cannot be powered off"),
        failureOfOthers("VmFailedToResetEvent", "cannot be reset"),
        failureOfOthers("VmFailedToSuspendEvent", "cannot be suspended"));
  }

  private static List<EventKind> changes() {
    return List.of(
        change("VmReconfiguredEvent", "reconfigured"),
        change("VmRenamedEvent", "renamed"),
        change("VmResourcePoolMovedEvent", "moved to another resource pool"),
        change("VmPoweredOffEvent", "powered off"),
        change("VmResettingEvent", "reset"),
        change("VmSuspendedEvent", "suspended"),
        change("VmGuestShutdownEvent", "shut down"),
        change("VmRemovedEvent", "deleted"));
  }

  private static List<EventKind> hosts() {
    return List.of(
        host("HostConnectionLostEvent", PortLayerEvent.Type.WARNING, "does not answer vCenter"),
        host("HostDisconnectedEvent", PortLayerEvent.Type.WARNING, "was disconnected from vCenter"),
        host("HostConnectedEvent", PortLayerEvent.Type.NOTICE, "is connected to vCenter"),
        host("EnteredMaintenanceModeEvent", PortLayerEvent.Type.NOTICE, "is in maintenance mode"),
        host("ExitMaintenanceModeEvent", PortLayerEvent.Type.NOTICE, "has left maintenance mode"));
  }

  private static List<EventKind> messages() {
    Function<Event, String> message = event -> "vSphere says: " + line(event.message());
    return List.of(
        vm("VmMessageEvent", PortLayerEvent.Type.WARNING, message),
        vm("VmMessageWarningEvent", PortLayerEvent.Type.WARNING, message),
        vm("VmMessageErrorEvent", PortLayerEvent.Type.WARNING, message),
        new EventKind(
            "AlarmStatusChangedEvent",
            About.ANY,
            false,
            event -> isWorse(event) ? PortLayerEvent.Type.ALARM : PortLayerEvent.Type.NOTICE,
            event ->
                "alarm \"%s\" went from %s to %s"
                    .formatted(
                        event.alarm() == null ? "" : line(event.alarm().name()),
                        line(event.from()),
                        line(event.to()))));
  }

  private static boolean isWorse(Event event) {
    return "red".equals(event.to()) || ("yellow".equals(event.to()) && !"red".equals(event.from()));
  }

  private static EventKind vm(
      String name, PortLayerEvent.Type type, Function<Event, String> detail) {
    return new EventKind(name, About.VM, false, event -> type, detail);
  }

  private static EventKind failure(String name, String what) {
    return vm(name, PortLayerEvent.Type.WARNING, event -> what + why(event));
  }

  private static EventKind failureOfOthers(String name, String what) {
    return new EventKind(
        name,
        About.VM,
        true,
        event -> PortLayerEvent.Type.WARNING,
        event -> what + by(event) + why(event));
  }

  private static EventKind change(String name, String what) {
    return new EventKind(
        name,
        About.VM,
        true,
        event -> PortLayerEvent.Type.WARNING,
        event -> what + " in vCenter" + by(event));
  }

  private static EventKind host(String name, PortLayerEvent.Type type, String what) {
    return new EventKind(
        name, About.HOST, false, event -> type, event -> "host" + named(event) + " " + what);
  }

  private static String named(Event event) {
    return event.host() == null ? "" : " " + line(event.host().name());
  }

  private static String is(Event event) {
    return named(event) + " is";
  }

  private static String to(Event event) {
    return event.host() == null ? "" : " to" + named(event);
  }

  private static String from(Event event) {
    return event.sourceHost() == null ? "" : " from " + line(event.sourceHost().name());
  }

  private static String on(Event event) {
    return event.host() == null ? "" : " on" + named(event);
  }

  private static String after(Event event) {
    return event.sourceHost() == null
        ? ""
        : " after " + line(event.sourceHost().name()) + " failed";
  }

  private static String by(Event event) {
    return event.userName() == null ? "" : " by " + line(event.userName());
  }

  private static String why(Event event) {
    if (event.reason() == null) {
      return "";
    }
    String message = event.reason().path("localizedMessage").asString("");
    String fault = event.reason().path("fault").path("_typeName").asString("");
    String why = message.isBlank() ? fault : line(message);
    return why.isEmpty() ? "" : ": " + why;
  }

  /** The first line, if it is not too long. */
  private static String line(@Nullable String text) {
    String first = text == null ? "" : text.strip().lines().findFirst().orElse("");
    return first.length() <= LONGEST ? first : first.substring(0, LONGEST) + "…";
  }
}
