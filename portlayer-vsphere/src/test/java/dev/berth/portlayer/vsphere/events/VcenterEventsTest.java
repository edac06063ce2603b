package dev.berth.portlayer.vsphere.events;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.events.EventBatch;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.MigrateVm;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Events of the lab's vCenter, through all that happens to it and to the control plane. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(180)
class VcenterEventsTest {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  @Call("EnterMaintenanceMode_Task")
  record EnterMaintenance(int timeout) implements TaskRequest {}

  @Call("ExitMaintenanceMode_Task")
  record ExitMaintenance(int timeout) implements TaskRequest {}

  private final TestLab lab;
  private final VimClient client;
  private final LabFolder folder;
  private final EventScope scope;
  @TempDir private Path directory;
  private ControlPlane plane;

  /** What reads events. */
  private final class ControlPlane implements AutoCloseable {
    private final EventLog log = new EventLog(1000);
    private final VcenterEvents events;
    private final PropertyStream stream;
    private final List<PortLayerEvent> told = new ArrayList<>();
    private String cursor;

    ControlPlane(Optional<String> user) {
      Path marks = directory.resolve("events.json");
      events =
          user.map(name -> new VcenterEvents(client, log, scope, this::subject, marks, name))
              .orElseGet(() -> new VcenterEvents(client, log, scope, this::subject, marks));
      stream =
          PropertyStream.open(
              client,
              List.of(folder.filter()),
              events::filters,
              (following, changed) -> events.changed(changed));
      cursor = events.now();
    }

    private Optional<EventSubject> subject(ManagedObjectReference vm) {
      PropertyStream following = stream; // Not yet there during the first snapshot.
      return following == null
          ? Optional.empty()
          : following
              .object(vm)
              .flatMap(object -> object.get("name", String.class))
              .map(name -> new EventSubject(name, "group of " + name));
    }

    /** What has been told so far. */
    List<PortLayerEvent> read(Duration timeout) {
      EventBatch batch = events.read(cursor, timeout);
      assertFalse(batch.lost());
      cursor = batch.cursor();
      told.addAll(batch.events());
      return told;
    }

    void until(PortLayerEvent.Type type, String subject, String detail) {
      await()
          .atMost(DEADLINE)
          .until(
              () ->
                  read(Duration.ofMillis(50)).stream()
                      .anyMatch(
                          event ->
                              event.type() == type
                                  && event.subject().equals(subject)
                                  && event.detail().equals(detail)));
    }

    List<String> details(PortLayerEvent.Type type, String subject) {
      return told.stream()
          .filter(event -> event.type() == type && event.subject().equals(subject))
          .map(PortLayerEvent::detail)
          .toList();
    }

    @Override
    public void close() {
      events.close();
      stream.close();
    }
  }

  VcenterEventsTest(TestLab lab) {
    this.lab = lab;
    client = VimClient.connect(lab.settings());
    folder = LabFolder.create(client, "events-" + UUID.randomUUID());
    scope =
        new EventScope(
            folder.reference(),
            LabFolder.find(client, "DC0/host/DC0_C0"),
            LabFolder.find(client, "DC0/datastore/LocalDS_0"));
  }

  @BeforeEach
  void start() {
    lab.reset();
    plane = new ControlPlane(Optional.empty());
  }

  @AfterEach
  void close() {
    lab.reset();
    plane.close();
    try (PropertyStream tasks =
        PropertyStream.open(client, List.of(folder.filter()), (following, changed) -> {})) {
      tasks
          .objects("VirtualMachine")
          .forEach(
              vm -> {
                if (vm.get("runtime.powerState", String.class).equals(Optional.of("poweredOn"))) {
                  tasks.run(vm.reference(), new Methods.PowerOffVm(), DEADLINE);
                }
              });
      tasks.run(folder.reference(), new Methods.Destroy(), DEADLINE);
    }
    client.close();
  }

  private ManagedObjectReference running(String name) {
    ManagedObjectReference vm =
        Objects.requireNonNull(
                plane.stream.run(folder.reference(), folder.vm(name), DEADLINE).result())
            .as(ManagedObjectReference.class);
    plane.stream.run(vm, new Methods.PowerOnVm(host(0)), DEADLINE);
    await().atMost(DEADLINE).until(() -> plane.subject(vm).isPresent());
    return vm;
  }

  private static String hostName(int number) {
    return "DC0_C0_H" + number;
  }

  private ManagedObjectReference host(int number) {
    return LabFolder.find(client, "DC0/host/DC0_C0/" + hostName(number));
  }

  private void migrate(ManagedObjectReference vm, int host) {
    plane.stream.run(vm, new MigrateVm(host(host), "defaultPriority"), DEADLINE);
  }

  private static String moved(int from, int to) {
    return "moved from %s to %s, running as before".formatted(hostName(from), hostName(to));
  }

  private void assertMoves(String vm, List<String> moves) {
    plane.until(PortLayerEvent.Type.VM_MIGRATED, vm, moves.getLast());
    plane.read(Duration.ofMillis(500));
    assertEquals(moves, plane.details(PortLayerEvent.Type.VM_MIGRATED, vm));
  }

  @Test
  void everyMoveIsToldOnceAndInOrder() {
    ManagedObjectReference vm = running("a");
    List<String> moves = new ArrayList<>();
    int at = 0;
    for (int i = 0; i < 25; i++) {
      int to = (at + 1 + i % 2) % 3;
      migrate(vm, to);
      moves.add(moved(at, to));
      at = to;
    }

    assertMoves("a", moves);
    assertTrue(
        plane.told.stream()
            .filter(event -> event.type() == PortLayerEvent.Type.VM_MIGRATED)
            .allMatch(event -> event.groupId().equals("group of a")));
    assertEquals(0, lab.calls("QueryEvents"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"lost", "broken", "refused"})
  void noMoveIsLostOrToldTwiceWhenReadingFails(String way) {
    ManagedObjectReference vm = running("a");
    migrate(vm, 1);
    assertMoves("a", List.of(moved(0, 1)));

    lab.fault(Map.of("method", "ReadNextEvents", "way", way, "count", 3));
    migrate(vm, 2);
    migrate(vm, 0);

    assertMoves("a", List.of(moved(0, 1), moved(1, 2), moved(2, 0)));
    assertEquals(3, lab.faults());
  }

  @Test
  void theEndOfASessionLosesNothing() {
    ManagedObjectReference vm = running("a");
    migrate(vm, 1);
    lab.expireSessions();
    migrate(vm, 2);
    lab.expireSessions();
    migrate(vm, 0);

    assertMoves("a", List.of(moved(0, 1), moved(1, 2), moved(2, 0)));
  }

  @Test
  void aHostsFailureIsToldAlsoWhenVcenterWasAwayMeanwhile() {
    ManagedObjectReference vm = running("a");
    migrate(vm, 1);
    assertMoves("a", List.of(moved(0, 1)));
    lab.outage("refuse", 3);
    try {
      lab.failHost(hostName(1));
      String lost = "host %s does not answer vCenter".formatted(hostName(1));
      plane.until(PortLayerEvent.Type.WARNING, hostName(1), lost);
      await()
          .atMost(DEADLINE)
          .until(
              () -> {
                plane.read(Duration.ofMillis(50));
                return plane.details(PortLayerEvent.Type.VM_RESTARTED, "a").size() == 1;
              });
      assertTrue(
          plane
              .details(PortLayerEvent.Type.VM_RESTARTED, "a")
              .getFirst()
              .matches("restarted by vSphere HA on DC0_C0_H[02]"));
      assertEquals(List.of(lost), plane.details(PortLayerEvent.Type.WARNING, hostName(1)));
    } finally {
      lab.recoverHost(hostName(1));
    }
    plane.until(
        PortLayerEvent.Type.NOTICE,
        hostName(1),
        "host %s is connected to vCenter".formatted(hostName(1)));
    assertMoves("a", List.of(moved(0, 1)));
  }

  @Test
  void aFailedMoveIsToldWithItsReason() {
    ManagedObjectReference vm = running("a");
    lab.fault(
        Map.of("method", "MigrateVM_Task", "way", "task", "fault", "InsufficientResourcesFault"));
    VimFault fault = assertThrows(VimFault.class, () -> migrate(vm, 1));
    assertEquals("InsufficientResourcesFault", fault.typeName());
    migrate(vm, 2);

    assertMoves("a", List.of(moved(0, 2)));
    List<String> warnings = plane.details(PortLayerEvent.Type.WARNING, "a");
    assertEquals(1, warnings.size());
    assertTrue(
        warnings.getFirst().startsWith("cannot be moved to another host: "), warnings::getFirst);
  }

  @Test
  void theNextControlPlaneGoesOnWhereTheOneBeforeWas() throws Exception {
    ManagedObjectReference vm = running("a");
    migrate(vm, 1);
    assertMoves("a", List.of(moved(0, 1)));
    plane.close();
    try (PropertyStream tasks =
        PropertyStream.open(client, List.of(), (following, changed) -> {})) {
      tasks.run(vm, new MigrateVm(host(2), "defaultPriority"), DEADLINE);
      tasks.run(vm, new MigrateVm(host(0), "defaultPriority"), DEADLINE);
    }

    plane = new ControlPlane(Optional.empty());
    assertMoves("a", List.of(moved(1, 2), moved(2, 0)));
    plane.close();

    Files.writeString(directory.resolve("events.json"), "{");
    plane = new ControlPlane(Optional.empty());
    migrate(vm, 1);
    assertMoves("a", List.of(moved(0, 1)));
  }

  @Test
  void aControlPlaneThatHeardOfNothingIsSucceeded() throws Exception {
    ManagedObjectReference vm = running("a");
    migrate(vm, 1);
    assertMoves("a", List.of(moved(0, 1)));
    plane.close();
    Files.delete(directory.resolve("events.json"));
    plane = new ControlPlane(Optional.empty());
    plane.close();
    try (PropertyStream tasks =
        PropertyStream.open(client, List.of(), (following, changed) -> {})) {
      tasks.run(vm, new MigrateVm(host(2), "defaultPriority"), DEADLINE);
    }

    plane = new ControlPlane(Optional.empty());
    assertMoves("a", List.of(moved(1, 2)));
  }

  @Test
  void whatTheControlPlaneDoesItselfIsNoNews() {
    ManagedObjectReference vm = running("a");
    reconfigure(vm);
    plane.stream.run(vm, new Methods.PowerOffVm(), DEADLINE);
    migrate(vm, 1);

    assertMoves("a", List.of(moved(0, 1)));
    assertEquals(List.of(), plane.details(PortLayerEvent.Type.WARNING, "a"));
  }

  private void reconfigure(ManagedObjectReference vm) {
    plane.stream.run(
        vm,
        new Methods.ReconfigVm(
            VirtualMachineConfigSpec.ofExtraConfig(
                List.of(new OptionValue("guestinfo.secret", "hidden")))),
        DEADLINE);
  }

  @Test
  void whatSomebodyElseDoesIsTold() {
    plane.close();
    plane = new ControlPlane(Optional.of("VSPHERE.LOCAL\\berth"));
    ManagedObjectReference vm = running("a");
    reconfigure(vm);
    plane.stream.run(vm, new Methods.PowerOffVm(), DEADLINE);
    plane.stream.run(vm, new Methods.Destroy(), DEADLINE);

    String by = " in vCenter by " + lab.administrator().user();
    plane.until(PortLayerEvent.Type.WARNING, "a", "deleted" + by);
    assertEquals(
        List.of("reconfigured" + by, "powered off" + by, "deleted" + by),
        plane.details(PortLayerEvent.Type.WARNING, "a"));
  }

  @Test
  void maintenanceOfHostsIsTold() {
    running("a");
    plane.stream.run(host(2), new EnterMaintenance(0), DEADLINE);
    plane.stream.run(host(2), new ExitMaintenance(0), DEADLINE);

    String host = "host " + hostName(2);
    plane.until(PortLayerEvent.Type.NOTICE, hostName(2), host + " has left maintenance mode");
    assertEquals(
        List.of(host + " is in maintenance mode", host + " has left maintenance mode"),
        plane.details(PortLayerEvent.Type.NOTICE, hostName(2)));
  }

  @Test
  void aRoleThatMayNotSeeEventsCostsNothingElse() {
    plane.close();
    lab.fault(
        Map.of(
            "method",
            "CreateCollectorForEvents",
            "way",
            "refused",
            "fault",
            "NoPermission",
            "count",
            3));
    plane = new ControlPlane(Optional.empty());
    ManagedObjectReference vm = running("a");

    assertTrue(plane.stream.object(vm).isPresent());
    assertEquals(3, lab.faults());
  }
}
