package dev.berth.portlayer.vsphere.vch;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Outcome;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Result;
import dev.berth.portlayer.vsphere.vch.VchSpecification.Limits;
import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A VCH is made whole or not at all, and goes without a trace. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class VchAdministrationTest {
  private static final PortGroupNetwork NETWORK =
      new PortGroupNetwork(
          "pods", "DC0_DVPG0", "10.7.0.0/24", "10.7.0.1", "10.7.0.2", "10.7.0.99", List.of(), 1500);
  private static final String NAME = "made";

  private final TestLab lab;
  private VimClient client;
  private PropertyStream stream;
  private VchAdministration vches;
  private DatastoreFiles files;
  private BootstrapIso iso;

  @TempDir private Path boot;

  VchAdministrationTest(TestLab lab) {
    this.lab = lab;
  }

  @BeforeEach
  void open() throws IOException {
    lab.reset();
    client = VimClient.connect(lab.settings());
    stream = PropertyStream.open(client, List.of(), (s, changed) -> {});
    vches = VchAdministration.open(client);
    files =
        new DatastoreFiles(
            client,
            stream,
            LabFolder.find(client, "DC0"),
            "DC0",
            LabFolder.find(client, "DC0/datastore/LocalDS_0"));
    iso = iso("an image");
  }

  @AfterEach
  void nothingIsLeft() {
    lab.reset();
    vches.delete(NAME, true);
    assertNothingIsLeft();
    vches.close();
    stream.close();
    client.close();
  }

  private void assertNothingIsLeft() {
    assertEquals(Optional.empty(), find("DC0/vm/" + NAME), "no folder");
    assertEquals(Optional.empty(), find("DC0/host/DC0_C0/Resources/" + NAME), "no pool");
    assertFalse(files.list(files.root()).contains(NAME), "no files");
  }

  private Optional<ManagedObjectReference> find(String path) {
    return client.find(client.content().searchIndex(), new Methods.FindByInventoryPath(path));
  }

  private BootstrapIso iso(String content) throws IOException {
    Files.writeString(boot.resolve("bootstrap.iso"), content);
    Files.writeString(
        boot.resolve("boot.json"),
        """
        {"schema":1,"flavor":"trimmed","kernelVersion":"6.1","iso":"bootstrap.iso","overheadMebibytes":72}
        """);
    return BootstrapIso.open(boot);
  }

  private static VchSpecification wanted() {
    return new VchSpecification(
        NAME,
        "DC0",
        "DC0_C0",
        "",
        "LocalDS_0",
        List.of(NETWORK),
        URI.create("tcp://10.1.0.1:7001"),
        "",
        new Limits(4000, 8192));
  }

  private Result create(VchSpecification specification) {
    return vches.create(specification, iso, (sent, total) -> {});
  }

  @Test
  void isMadeFoundAndRemoved() {
    Result made = create(wanted());

    assertEquals(Outcome.CREATED, made.outcome());
    assertEquals(List.of(NAME), vches.list().stream().map(each -> each.record().name()).toList());
    InstalledVch found = InstalledVch.find(client, NAME, "the authority");
    assertEquals(made.record(), found.record());
    assertEquals("DC0", found.datacenterName());
    assertEquals(72, found.settings().overheadMebibytes());
    assertEquals(2600, found.settings().megahertz());
    assertEquals(NETWORK, found.record().networks().getFirst());
    assertEquals("an image".length(), files.size(found.settings().iso()).orElseThrow());
    await().until(() -> vches.inspect(NAME).memory() == 8192L << 20);
    VchState state = vches.inspect(NAME);
    assertEquals(4000, state.megahertz());
    assertEquals(List.of(), state.missing());

    assertTrue(vches.delete(NAME, false));
    assertNothingIsLeft();
    assertFalse(vches.delete(NAME, false), "idempotent");
    PortLayerException gone =
        assertThrows(PortLayerException.class, () -> InstalledVch.find(client, NAME, ""));
    assertEquals(Code.NOT_FOUND, gone.code());
  }

  /** Each call of a create fails once, in every way: nothing is left, or all is there. */
  @ParameterizedTest
  @CsvSource({"refused", "task", "lost", "broken"})
  void eitherAllIsMadeOrNothing(String way) {
    for (String method :
        List.of(
            "MakeDirectory",
            "CreateFolder",
            "CreateResourcePool",
            "UpdateConfig",
            "MoveDatastoreFile_Task",
            "CreateContainerView",
            "RetrievePropertiesEx",
            "SearchDatastore_Task",
            "FindChild",
            "QueryAssignedLicenses",
            "HasPrivilegeOnEntities")) {
      boolean met = !way.equals("task") || method.endsWith("_Task");
      for (int nth = 1; met && nth < 20; nth++) {
        met = failingOnce(method, nth, way);
      }
    }
  }

  private boolean failingOnce(String method, int nth, String way) {
    lab.reset();
    lab.fault(Map.of("method", method, "nth", nth, "way", way, "fault", "SystemError"));
    try {
      create(wanted());
      boolean met = lab.faults() == 1;
      lab.reset();
      assertEquals(List.of(), vches.inspect(NAME).missing());
      vches.delete(NAME, false);
      return met;
    } catch (PortLayerException e) {
      lab.reset();
      assertNothingIsLeft();
      return true;
    }
  }

  /** A deletion that was broken off anywhere is finished by the next one. */
  @ParameterizedTest
  @CsvSource({"refused", "task", "lost", "broken"})
  void aDeletionIsFinishedByTheNextOne(String way) {
    for (String method :
        List.of("MoveDatastoreFile_Task", "Destroy_Task", "DeleteDatastoreFile_Task")) {
      boolean met = true;
      for (int nth = 1; met && nth < 9; nth++) {
        lab.reset();
        create(wanted());
        lab.fault(Map.of("method", method, "nth", nth, "way", way, "fault", "SystemError"));
        try {
          vches.delete(NAME, false);
        } catch (PortLayerException e) {
          assertEquals(NAME, vches.inspect(NAME).record().name(), "what is left is known");
        }
        met = lab.faults() == 1;
        lab.reset();
        vches.delete(NAME, false);
        assertNothingIsLeft();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"PUT /folder/, 403", "PUT /folder/, 507", "PUT /folder/, 500", "HEAD /folder/, 500"})
  void nothingIsLeftOfAnUploadThatFailed(String path, int status) {
    lab.fault(Map.of("path", path, "way", "status", "status", status, "nth", 2, "count", -1));

    assertThrows(PortLayerException.class, () -> create(wanted()));

    lab.reset();
    assertNothingIsLeft();
  }

  @Test
  void anInterruptedCreateLeavesNothing() throws InterruptedException {
    lab.latency("folder", 400);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread creator =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    create(wanted());
                  } catch (PortLayerException e) {
                    thrown.set(e);
                  }
                });
    await().until(() -> find("DC0/host/DC0_C0/Resources/" + NAME).isPresent());
    creator.interrupt();
    creator.join();

    assertEquals(Code.INTERRUPTED, ((PortLayerException) thrown.get()).code());
    assertNothingIsLeft();
  }

  @Test
  void remainsOfACreateThatDiedAreFoundAndReplaced() throws IOException {
    create(wanted());
    files.move(root().resolve("vch.json"), root().resolve("unfinished.json"));

    assertFalse(vches.list().getFirst().finished());
    PortLayerException refused =
        assertThrows(PortLayerException.class, () -> InstalledVch.find(client, NAME, ""));
    assertEquals(Code.FAILED_PRECONDITION, refused.code());
    assertEquals(Outcome.CREATED, create(wanted()).outcome());
    assertTrue(vches.list().getFirst().finished());
  }

  private DatastorePath root() {
    return files.root().resolve(NAME);
  }

  @Test
  void whatIsNotTheVchsIsLeftAlone() {
    ManagedObjectReference vms = LabFolder.find(client, "DC0/vm");
    ManagedObjectReference folder = client.call(vms, new Methods.CreateFolder(NAME));
    files.makeDirectory(root().resolve("of-another"));
    ManagedObjectReference pool =
        new VchParts(client, stream)
            .pool(LabFolder.find(client, "DC0/host/DC0_C0/Resources"), NAME, Limits.NONE);

    InvalidVchException refused = assertThrows(InvalidVchException.class, () -> create(wanted()));

    assertEquals(
        List.of("name", "name", "name"),
        refused.problems().stream().map(VchProblem::option).toList());
    assertFalse(vches.delete(NAME, true), "there is no such VCH");
    assertEquals(Optional.of(folder), find("DC0/vm/" + NAME));
    stream.run(folder, new Methods.Destroy(), Duration.ofMinutes(1));
    stream.run(pool, new Methods.Destroy(), Duration.ofMinutes(1));
    files.delete(root());
  }

  @Test
  void aFolderWithSomebodysVmIsNotRemoved() {
    create(wanted());
    ManagedObjectReference folder = find("DC0/vm/" + NAME).orElseThrow();
    LabFolder theirs =
        new LabFolder(client, folder, LabFolder.find(client, "DC0/host/DC0_C0/Resources"));
    ManagedObjectReference vm =
        Objects.requireNonNull(
                stream.run(folder, theirs.vm("theirs"), Duration.ofMinutes(1)).result())
            .as(ManagedObjectReference.class);

    PortLayerException refused =
        assertThrows(PortLayerException.class, () -> vches.delete(NAME, true));

    assertEquals(Code.FAILED_PRECONDITION, refused.code());
    assertTrue(String.valueOf(refused.getMessage()).contains("theirs"), refused::getMessage);
    stream.run(vm, new Methods.Destroy(), Duration.ofMinutes(1));
  }

  @Test
  void aVmOfTheVchsNameIsNotTakenForItsFolder() {
    create(wanted());
    stream.run(find("DC0/vm/" + NAME).orElseThrow(), new Methods.Destroy(), Duration.ofMinutes(1));
    LabFolder vms =
        new LabFolder(
            client,
            LabFolder.find(client, "DC0/vm"),
            LabFolder.find(client, "DC0/host/DC0_C0/Resources"));
    stream.run(vms.reference(), vms.vm(NAME), Duration.ofMinutes(1));

    assertTrue(vches.delete(NAME, true));

    ManagedObjectReference vm = find("DC0/vm/" + NAME).orElseThrow();
    assertEquals("VirtualMachine", vm.type());
    stream.run(vm, new Methods.Destroy(), Duration.ofMinutes(1));
  }

  @Test
  void isBroughtToWhatIsAskedFor() throws IOException {
    create(wanted());
    assertEquals(Outcome.UNCHANGED, create(wanted()).outcome());

    iso = iso("another image");
    PortGroupNetwork more =
        new PortGroupNetwork(
            "more",
            "DC0_DVPG1",
            "10.6.0.0/24",
            "10.6.0.1",
            "10.6.0.2",
            "10.6.0.9",
            List.of(),
            9000);
    Result changed = create(with(List.of(NETWORK, more), new Limits(0, 4096)));

    assertEquals(Outcome.CHANGED, changed.outcome());
    assertEquals(3, changed.changes().size(), changed.changes()::toString);
    InstalledVch found = InstalledVch.find(client, NAME, "");
    assertEquals(Set.of("pods", "more"), found.settings().networks().keySet());
    assertEquals("another image".length(), files.size(found.settings().iso()).orElseThrow());
    assertEquals(3, files.list(root()).size(), "the old image stays for VMs that boot it");

    stream.run(find("DC0/vm/" + NAME).orElseThrow(), new Methods.Destroy(), Duration.ofMinutes(1));
    assertEquals(1, vches.inspect(NAME).missing().size());
    assertEquals(
        Code.NOT_FOUND,
        assertThrows(PortLayerException.class, () -> InstalledVch.find(client, NAME, "")).code());
    create(with(List.of(NETWORK, more), new Limits(0, 4096)));
    assertEquals(List.of(), vches.inspect(NAME).missing());
  }

  private static VchSpecification with(List<PortGroupNetwork> networks, Limits limits) {
    VchSpecification wanted = wanted();
    return new VchSpecification(
        NAME, "DC0", "DC0_C0", "", "LocalDS_0", networks, wanted.control(), "", limits);
  }

  @Test
  void allProblemsAreToldAtOnce() {
    PortGroupNetwork overlapping =
        new PortGroupNetwork(
            "more",
            "DC0_DVPG0",
            "10.7.0.0/24",
            "10.7.0.1",
            "10.7.0.9",
            "10.7.0.200",
            List.of(),
            1500);
    PortGroupNetwork nowhere =
        new PortGroupNetwork(
            "no", "DVPG9", "10.6.0.0/24", "10.6.0.1", "10.6.0.2", "10.6.0.9", List.of(), 1500);
    VchSpecification wrong =
        new VchSpecification(
            "Much-" + "too-".repeat(20) + "long",
            "/DC0",
            "/DC0/host/DC0_C0",
            "tenants/a",
            "ds9",
            List.of(NETWORK, overlapping, nowhere),
            URI.create("http://10.1.0.1"),
            "",
            Limits.NONE);

    InvalidVchException refused = assertThrows(InvalidVchException.class, () -> create(wrong));

    assertEquals(
        List.of("name", "name", "control", "network", "pool", "datastore", "network"),
        refused.problems().stream().map(VchProblem::option).toList(),
        refused::getMessage);
  }

  @Call("ReconfigureDVPortgroup_Task")
  private record ReconfigurePortGroup(GenericObject spec) implements TaskRequest {}

  private static VchSpecification controlledBy(String portGroup) {
    VchSpecification wanted = wanted();
    return new VchSpecification(
        NAME,
        "DC0",
        "DC0_C0",
        "",
        "LocalDS_0",
        wanted.networks(),
        wanted.control(),
        portGroup,
        wanted.limits());
  }

  private void set(String portGroup, String settings) {
    ObjectNode spec = JsonMapper.shared().createObjectNode();
    spec.put("_typeName", "DVPortgroupConfigSpec")
        .put("name", portGroup)
        .set("defaultPortConfig", JsonMapper.shared().readTree(settings));
    stream.run(
        LabFolder.find(client, "DC0/network/" + portGroup),
        new ReconfigurePortGroup(new GenericObject(spec)),
        Duration.ofMinutes(1));
  }

  @Test
  void aControlNetworkKeepsVmsApart() {
    String open =
        """
        {"_typeName": "VMwareDVSPortSetting",
         "securityPolicy": {"_typeName": "DVSSecurityPolicy", "inherited": false,
           "allowPromiscuous": {"_typeName": "BoolPolicy", "inherited": false, "value": true},
           "macChanges": {"_typeName": "BoolPolicy", "inherited": false, "value": true},
           "forgedTransmits": {"_typeName": "BoolPolicy", "inherited": false, "value": false}}}
        """;
    String closed =
        """
        {"_typeName": "VMwareDVSPortSetting",
         "vlan": {"_typeName": "VmwareDistributedVirtualSwitchPvlanSpec", "inherited": false, "pvlanId": 7},
         "macManagementPolicy": {"_typeName": "DVSMacManagementPolicy", "inherited": false,
           "allowPromiscuous": false, "macChanges": false, "forgedTransmits": false}}
        """;
    try {
      set("DC0_DVPG1", open);
      assertEquals(
          List.of(
              "DC0_DVPG1 accepts MAC address changes, promiscuous mode: set its security policy to reject them"),
          refusals("DC0_DVPG1"));
      set("DC0_DVPG1", closed);
      Result made = create(controlledBy("DC0_DVPG1"));
      assertEquals(List.of(), made.notes());
      assertTrue(InstalledVch.find(client, NAME, "").settings().controlNetwork().isPresent());
    } finally {
      set("DC0_DVPG1", "{\"_typeName\": \"VMwareDVSPortSetting\"}");
    }
  }

  private List<String> refusals(String portGroup) {
    InvalidVchException refused =
        assertThrows(InvalidVchException.class, () -> create(controlledBy(portGroup)));
    assertTrue(
        refused.problems().stream().allMatch(problem -> problem.option().equals("control-network")),
        refused::getMessage);
    return refused.problems().stream().map(VchProblem::text).toList();
  }

  @Test
  void aControlNetworkIsDistributedAndForNothingElse() {
    assertEquals(1, refusals("DVPG9").size());
    assertEquals(
        List.of("containers are on DC0_DVPG0: name a port group that is for nothing else"),
        refusals("DC0_DVPG0"));
    assertTrue(
        refusals("VM Network")
            .contains(
                "VM Network is on a standard switch, which has no private VLAN: name a distributed port group"));
    assertEquals(2, create(controlledBy("DC0_DVPG1")).notes().size(), "of policy and VLAN");
    assertEquals(List.of("control network: none instead of DC0_DVPG1"), create(wanted()).changes());
  }

  @Test
  void twoVchsGiveOutNoAddressTwice() {
    create(wanted());
    VchSpecification other =
        new VchSpecification(
            "other",
            "DC0",
            "DC0_C0",
            "",
            "LocalDS_0",
            List.of(NETWORK),
            wanted().control(),
            "",
            Limits.NONE);

    InvalidVchException refused = assertThrows(InvalidVchException.class, () -> create(other));

    assertEquals(
        List.of("control", "network"),
        refused.problems().stream().map(VchProblem::option).toList(),
        refused::getMessage);
  }
}
