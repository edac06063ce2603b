package dev.berth.portlayer.vsphere.compute;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterAffinityRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterHostGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleInfo;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmHostRuleInfo;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceAllocationInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.SharesInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups as VMs in the lab, through what can go wrong on the way. */
@ExtendWith(TestLab.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class VsphereGroupsTest {
  private static final long MEBIBYTE = 1 << 20;

  private final LabVch vch;
  private final TestLab lab;
  private int names;

  VsphereGroupsTest(TestLab lab) {
    this.lab = lab;
    vch = new LabVch(lab);
  }

  @BeforeAll
  void pull() {
    image();
  }

  @AfterAll
  void close() {
    vch.close();
  }

  @BeforeEach
  void counts() {
    lab.reset();
  }

  @AfterEach
  void nothingIsLeft() {
    lab.reset();
    List.copyOf(groups().list()).forEach(group -> groups().destroy(group.spec().id()));
    assertEquals(List.of(), files("vms"), "no VM's files");
    assertEquals(List.of(), vms(), "no VM");
    assertEquals(Set.of(), rules(), "no rule");
  }

  private VsphereGroups groups() {
    return vch.services().groups();
  }

  private List<String> files(String folder) {
    return vch.services().files().list(vch.settings().root().resolve(folder));
  }

  /** All VMs in the VCH's folder, its own or not. */
  private List<ManagedObjectReference> vms() {
    return vch.services().stream().objects("VirtualMachine").stream()
        .map(object -> object.reference())
        .toList();
  }

  private ClusterConfigInfoEx configuration() {
    return vch.services()
        .client()
        .property(vch.settings().cluster(), "configurationEx", ClusterConfigInfoEx.class)
        .orElseThrow();
  }

  private Set<String> rules() {
    return configuration().rule().stream()
        .map(VsphereGroupsTest::nameOf)
        .collect(Collectors.toSet());
  }

  private static String nameOf(ClusterRuleInfo rule) {
    return rule instanceof ClusterVmHostRuleInfo hosts
        ? hosts.name()
        : ((ClusterAffinityRuleSpec) rule).name();
  }

  private Image image() {
    TestImage image =
        new TestImage().layer(new TarBuilder().file("a", "a").build(), TestImage.Compression.GZIP);
    return vch.services()
        .storage()
        .pullImage(
            new ImageRequest(
                vch.registry().push("groups", "1", image), List.of(), Duration.ofMinutes(1)));
  }

  private ContainerVmSpec vm() {
    Image image = image();
    String id = "vm-" + names++;
    var scratch = vch.services().storage().createDisk(id + "-s", Role.SCRATCH, 16 * MEBIBYTE);
    var nic = vch.services().network().createEndpoint(id + "-n", "pods");
    return new ContainerVmSpec(
        id,
        "guest",
        new Resources(1, 500, 100, 64 * MEBIBYTE, 32 * MEBIBYTE),
        image.id(),
        List.of(image.disk(), scratch),
        List.of(nic),
        Map.of());
  }

  private GroupSpec group(int members) {
    List<ContainerVmSpec> vms = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      vms.add(vm());
    }
    return new GroupSpec(
        "group-" + names++, "default/web", Placement.anywhereTogether(), vms, Map.of("a", "b"));
  }

  private static PortLayerException assertFails(Code code, Runnable work) {
    PortLayerException e = assertThrows(PortLayerException.class, work::run);
    assertEquals(code, e.code(), e::toString);
    return e;
  }

  @Test
  void eachVmIsOneCallAndTheGroupOneRule() {
    GroupSpec spec = group(3);
    lab.reset();

    groups().create(spec);

    assertEquals(3, lab.calls("CreateVM_Task"));
    assertEquals(1, lab.calls("ReconfigureComputeResource_Task"));
    assertEquals(0, lab.calls("ReconfigVM_Task"));
    assertEquals(1, rules().size());
    groups().destroy(spec.id());
    assertEquals(Set.of(), rules());
  }

  @Test
  void aGroupRunsOnOneHost() {
    GroupSpec spec = group(3);
    groups().create(spec);
    lab.reset();

    groups().powerOn(spec.id());

    assertEquals(1, lab.calls("PowerOnMultiVM_Task"));
    assertEquals(1, vms().stream().map(this::hostOf).distinct().count());
    powers(spec, PowerState.ON);
    groups().powerOn(spec.id());
    assertEquals(1, lab.calls("PowerOnMultiVM_Task"), "they are on");
    String scratch = spec.members().getFirst().disks().getLast().id();
    assertFails(Code.FAILED_PRECONDITION, () -> vch.services().storage().deleteDisk(scratch));

    groups().powerOff(spec.id());
    powers(spec, PowerState.OFF);
  }

  @Test
  void aBoundGroupRunsOnItsHostsAlone() {
    ManagedObjectReference host =
        LabFolder.find(vch.services().client(), "DC0/host/DC0_C0/DC0_C0_H2");
    vch.changeHostGroup(ClusterGroupSpec.add(new ClusterHostGroup("tenant", List.of(host))));
    try {
      GroupSpec first = bound(group(2));
      GroupSpec second = bound(group(1));
      groups().create(first);
      groups().create(second);
      assertEquals(2, rules().size(), "one for the first group, one for the hosts");

      groups().powerOn(first.id());
      groups().powerOn(second.id());

      assertEquals(Set.of(host), vms().stream().map(this::hostOf).collect(Collectors.toSet()));
      groups().destroy(first.id());
      assertEquals(1, rules().size(), "there is still one that is bound");
      groups().destroy(second.id());
      assertEquals(1, configuration().group().size(), "the administrator's stays");
    } finally {
      vch.changeHostGroup(ClusterGroupSpec.remove("tenant"));
    }
  }

  private static GroupSpec bound(GroupSpec spec) {
    return new GroupSpec(
        spec.id(),
        spec.name(),
        new Placement(true, Optional.of("tenant")),
        spec.members(),
        spec.labels());
  }

  private ManagedObjectReference hostOf(ManagedObjectReference vm) {
    return vch.services().client().property(vm, "runtime", HostOf.class).orElseThrow().host();
  }

  /** A part of a VM's runtime. */
  record HostOf(ManagedObjectReference host) {}

  private void powers(GroupSpec spec, PowerState power) {
    Group group = groups().find(spec.id()).orElseThrow();
    assertEquals(
        Set.of(power),
        group.members().stream().map(ContainerVm::power).collect(Collectors.toSet()));
  }

  @Test
  void anotherControlPlaneKnowsAll() {
    GroupSpec spec = group(2);
    Group made = groups().create(spec);
    groups().powerOn(spec.id());
    vch.restart();

    Group found = groups().find(spec.id()).orElseThrow();
    assertEquals(made.spec(), found.spec());
    assertEquals(made.createdAt(), found.createdAt());
    powers(spec, PowerState.ON);
    assertEquals(found, groups().create(spec));
  }

  @ParameterizedTest
  @CsvSource({
    "CreateVM_Task, task, 1",
    "CreateVM_Task, task, 2",
    "CreateVM_Task, refused, 2",
    "CreateVM_Task, broken, 1",
    "CreateVM_Task, status, 2",
    "ReconfigureComputeResource_Task, task, 1",
    "ReconfigureComputeResource_Task, broken, 1",
    "ModifyListView, refused, 1",
    "ModifyListView, refused, 3"
  })
  void aCreationThatFailsLeavesNothing(String method, String way, int nth) {
    GroupSpec spec = group(2);
    lab.fault(
        Map.of("method", method, "way", way, "nth", nth, "fault", "InsufficientResourcesFault"));

    assertThrows(RuntimeException.class, () -> groups().create(spec));

    assertEquals(Optional.empty(), groups().find(spec.id()));
    assertEquals(Set.of(), rules());
    lab.reset();
    groups().create(spec);
    assertEquals(2, vms().size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"CreateVM_Task", "ReconfigureComputeResource_Task", "ModifyListView", "FindChild"})
  void aLostAnswerMakesNoSecondVm(String method) {
    GroupSpec spec = group(2);
    lab.fault(Map.of("method", method, "way", "lost"));

    try {
      groups().create(spec);
    } catch (PortLayerException e) {
      assertEquals(Code.UNAVAILABLE, e.code(), e::toString);
      groups().create(spec);
    }
    assertEquals(2, vms().size());
    assertEquals(1, rules().size());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PowerOffVM_Task",
        "UnregisterVM",
        "DeleteDatastoreFile_Task",
        "ReconfigureComputeResource_Task",
        "ModifyListView"
      })
  void aGroupIsDestroyedInTheEnd(String method) {
    for (String way : List.of("lost", "broken", "status", "refused")) {
      GroupSpec spec = group(2);
      groups().create(spec);
      groups().powerOn(spec.id());
      lab.fault(Map.of("method", method, "way", way));

      for (int attempt = 0; groups().find(spec.id()).isPresent() && attempt < 3; attempt++) {
        try {
          groups().destroy(spec.id());
        } catch (PortLayerException e) {
          assertTrue(Set.of(Code.UNAVAILABLE, Code.INTERNAL).contains(e.code()), e::toString);
        }
      }
      lab.reset();
      groups().destroy(spec.id());
      assertEquals(List.of(), vms(), way);
    }
    vch.restart();
  }

  @Test
  void theRemainsOfACrashAreRemoved() {
    GroupSpec spec = group(2);
    GroupSpec whole = group(1);
    groups().create(spec);
    groups().create(whole);
    VmOperations operations =
        new VmOperations(
            vch.services().client(),
            vch.services().stream(),
            vch.services().index(),
            vch.services().files(),
            vch.settings());
    VmRecord record = recordOf(spec);
    operations.remove(vmOf(record), record);

    vch.restart();

    assertEquals(Optional.empty(), groups().find(spec.id()));
    assertEquals(1, vms().size());
    assertEquals(Set.of(whole.members().getFirst().id()), Set.copyOf(files("vms")));
  }

  private VmRecord recordOf(GroupSpec spec) {
    VmRecord.GroupRecord group =
        VmRecord.GroupRecord.of(
            vch.settings().name(), spec, groups().find(spec.id()).orElseThrow().createdAt());
    return new VmRecord(group, spec.members().getFirst(), Optional.empty());
  }

  private ManagedObjectReference vmOf(VmRecord record) {
    return vch.services()
        .client()
        .call(
            vch.services().client().content().searchIndex(),
            new Methods.FindChild(vch.settings().folder(), Names.vm(record)));
  }

  @Test
  void theCapacityFollowsThePool() {
    long before = groups().capacity().memory();
    assertTrue(before > 0);
    var half = new ResourceAllocationInfo(0L, true, 1024L, SharesInfo.normal());
    vch.services()
        .client()
        .run(
            vch.settings().pool(),
            new Methods.UpdateConfig(null, new ResourceConfigSpec(null, null, half, half)));

    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> groups().capacity().memory() == 1024 * MEBIBYTE);
    assertEquals(1024L * 1000 / vch.settings().megahertz(), groups().capacity().cpuMillis());
  }

  @Test
  void theLifeOfVmsIsTold() {
    GroupSpec spec = group(1);
    String cursor = vch.services().events().now();
    groups().create(spec);
    groups().powerOn(spec.id());
    groups().powerOff(spec.id());
    groups().destroy(spec.id());

    List<PortLayerEvent.Type> types =
        vch.services().events().read(cursor, Duration.ZERO).events().stream()
            .map(PortLayerEvent::type)
            .filter(type -> type != PortLayerEvent.Type.CAPACITY_CHANGED)
            .toList();
    assertEquals(
        Arrays.asList(
            PortLayerEvent.Type.GROUP_CREATED,
            PortLayerEvent.Type.VM_POWERED_ON,
            PortLayerEvent.Type.VM_POWERED_OFF,
            PortLayerEvent.Type.GROUP_DESTROYED),
        types);
  }
}
