package dev.berth.portlayer.vsphere.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Tasks.TaskInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One stream of properties and tasks through all that happens to it. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class PropertyStreamTest {
  private static final Duration DEADLINE = Duration.ofSeconds(30);

  private final TestLab lab;
  private final VimClient client;
  private final LabFolder folder;
  private final PropertyStream stream;
  private final Set<ManagedObjectReference> told = ConcurrentHashMap.newKeySet();

  PropertyStreamTest(TestLab lab) {
    this.lab = lab;
    client = VimClient.connect(lab.settings());
    folder = LabFolder.create(client, "stream-" + UUID.randomUUID());
    stream =
        PropertyStream.open(
            client, List.of(folder.filter()), (following, changed) -> told.addAll(changed));
  }

  @BeforeEach
  void counts() {
    lab.reset();
  }

  @AfterEach
  void close() {
    lab.reset();
    stream.run(folder.reference(), new Methods.Destroy(), DEADLINE);
    stream.close();
    client.close();
  }

  private ManagedObjectReference create(String name) {
    TaskInfo task = stream.run(folder.reference(), folder.vm(name), DEADLINE);
    return Objects.requireNonNull(task.result()).as(ManagedObjectReference.class);
  }

  private Set<String> names() {
    return stream.objects("VirtualMachine").stream()
        .map(vm -> vm.get("name", String.class).orElse("?"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private Optional<String> power(ManagedObjectReference vm) {
    return stream.object(vm).flatMap(object -> object.get("runtime.powerState", String.class));
  }

  private void awaitNames(String... names) {
    await().atMost(DEADLINE).until(() -> names().equals(Set.of(names)));
  }

  @Test
  void objectsAreSeenAsTheyComeChangeAndGo() {
    ManagedObjectReference vm = create("a");
    awaitNames("a");
    assertEquals(Optional.of("poweredOff"), power(vm));

    stream.run(vm, new Methods.PowerOnVm(null), DEADLINE);
    await().atMost(DEADLINE).until(() -> power(vm).equals(Optional.of("poweredOn")));

    stream.run(vm, new Methods.PowerOffVm(), DEADLINE);
    told.clear();
    stream.run(vm, new Methods.Destroy(), DEADLINE);
    awaitNames();
    assertTrue(told.contains(vm), "the listener hears of what is gone");
  }

  @Test
  void aSnapshotOfManyObjectsComesWhole() throws Exception {
    try (var threads = Executors.newFixedThreadPool(16)) {
      List<Future<ManagedObjectReference>> created = new ArrayList<>();
      for (int i = 0; i < 230; i++) {
        String name = "many-" + i;
        created.add(threads.submit(() -> create(name)));
      }
      for (var vm : created) {
        vm.get();
      }
    }
    try (PropertyStream second =
        PropertyStream.open(client, List.of(folder.filter()), (following, changed) -> {})) {
      assertEquals(230, second.objects("VirtualMachine").size());
    }
    assertEquals(0, lab.calls("RetrievePropertiesEx"), "tasks are not polled");
    assertTrue(lab.calls("ModifyListView") <= 230, "one call at most for each task");
  }

  @Test
  void aStreamOfNothingIsOpen() {
    try (PropertyStream empty =
        PropertyStream.open(client, List.of(), (following, changed) -> {})) {
      assertTrue(empty.current());
      assertEquals(List.of(), empty.objects("VirtualMachine"));
    }
  }

  @Test
  void theStreamGoesOnInANewSession() {
    ManagedObjectReference vm = create("kept");
    ManagedObjectReference gone = create("gone");
    awaitNames("gone", "kept");
    told.clear();

    lab.expireSessions();
    client.call(gone, new Methods.Destroy());
    stream.run(vm, new Methods.PowerOnVm(null), DEADLINE);

    awaitNames("kept");
    await().atMost(DEADLINE).until(() -> power(vm).equals(Optional.of("poweredOn")));
    assertTrue(told.containsAll(Set.of(vm, gone)));
    assertEquals(1, lab.calls("Login"));
    stream.run(vm, new Methods.PowerOffVm(), DEADLINE);
  }

  @Test
  void aTaskIsAwaitedThroughTheEndOfTheSession() throws Exception {
    ManagedObjectReference task = client.call(folder.reference(), folder.vm("through"));
    lab.latency("json", 300);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<TaskInfo> info = threads.submit(() -> stream.await(task, DEADLINE));
      lab.expireSessions();

      assertEquals("success", info.get().state());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"InvalidCollectorVersion", "ManagedObjectNotFound", "NotAuthenticated"})
  void aLostCollectorIsMadeAnew(String fault) {
    lab.fault(Map.of("method", "WaitForUpdatesEx", "fault", fault));
    create("a");
    create("b");

    awaitNames("a", "b");
    await().atMost(DEADLINE).until(() -> lab.faults() == 1);
    await().atMost(DEADLINE).until(stream::current);
    create("c");
    awaitNames("a", "b", "c");
  }

  @ParameterizedTest
  @ValueSource(strings = {"lost", "broken", "status"})
  void aLostAnswerLosesNoUpdate(String way) {
    lab.fault(Map.of("method", "WaitForUpdatesEx", "way", way, "count", 2));
    create("a");
    create("b");

    awaitNames("a", "b");
    await().atMost(DEADLINE).until(() -> lab.faults() == 2);
    await().atMost(DEADLINE).until(stream::current);
  }

  @ParameterizedTest
  @ValueSource(strings = {"refuse", "hang"})
  void duringAnOutageTheLastKnownStands(String mode) {
    create("a");
    awaitNames("a");
    lab.outage(mode, 2);
    if (mode.equals("refuse")) {
      await().atMost(DEADLINE).until(() -> !stream.current());
    }
    assertEquals(Set.of("a"), names());

    create("b");
    awaitNames("a", "b");
    await().atMost(DEADLINE).until(stream::current);
  }

  @Test
  void aTaskThatFailsTellsWhy() {
    create("a");
    lab.fault(
        Map.of("method", "Destroy_Task", "way", "task", "fault", "InsufficientResourcesFault"));
    ManagedObjectReference vm = stream.objects("VirtualMachine").getFirst().reference();

    VimFault fault =
        assertThrows(VimFault.class, () -> stream.run(vm, new Methods.Destroy(), DEADLINE));

    assertEquals("InsufficientResourcesFault", fault.typeName());
    assertEquals(Code.RESOURCE_EXHAUSTED, fault.toPortLayer().code());
  }

  @Test
  void anUnknownTaskIsLookedUpBySomebodyElse() {
    PortLayerException e =
        assertThrows(
            PortLayerException.class,
            () -> stream.await(new ManagedObjectReference("Task", "task-0"), DEADLINE));

    assertEquals(Code.UNAVAILABLE, e.code());
  }

  @Test
  void aRefusedFilterIsAFault() {
    var unknown = new ManagedObjectReference("Folder", "group-v0");
    var filter = new LabFolder(client, unknown, folder.pool()).filter();

    VimFault fault =
        assertThrows(
            VimFault.class,
            () -> PropertyStream.open(client, List.of(filter), (following, changed) -> {}));
    assertFalse(fault.typeName().isEmpty());
  }
}
