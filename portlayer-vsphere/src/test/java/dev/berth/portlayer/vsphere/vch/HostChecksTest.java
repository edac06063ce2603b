package dev.berth.portlayer.vsphere.vch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchSpecification.Limits;
import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;
import dev.berth.portlayer.vsphere.vim.Request;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What hosts and clusters lack is told before anything is made. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(60)
class HostChecksTest {
  private static final Duration DEADLINE = Duration.ofMinutes(1);

  private final TestLab lab;
  private VimClient client;
  private PropertyStream stream;

  @Call("EnableRuleset")
  private record EnableRuleset(String id) implements Request<Void> {}

  @Call("DisableRuleset")
  private record DisableRuleset(String id) implements Request<Void> {}

  @Call("ReconfigureComputeResource_Task")
  private record Reconfigure(GenericObject spec, boolean modify) implements TaskRequest {}

  HostChecksTest(TestLab lab) {
    this.lab = lab;
  }

  @BeforeEach
  void connect() {
    lab.reset();
    client = VimClient.connect(lab.settings());
    stream = PropertyStream.open(client, List.of(), (s, changed) -> {});
  }

  @AfterEach
  void close() {
    drs("{\"enabled\": true, \"defaultVmBehavior\": \"fullyAutomated\"}");
    stream.close();
    client.close();
  }

  private void drs(String settings) {
    ObjectNode spec = JsonMapper.shared().createObjectNode();
    spec.put("_typeName", "ClusterConfigSpecEx")
        .set(
            "drsConfig",
            ((ObjectNode) JsonMapper.shared().readTree(settings))
                .put("_typeName", "ClusterDrsConfigInfo"));
    stream.run(
        LabFolder.find(client, "DC0/host/DC0_C0"),
        new Reconfigure(new GenericObject(spec), true),
        DEADLINE);
  }

  private static VchPlan plan(InventoryTree tree, String portGroup) {
    VchSpecification wanted =
        new VchSpecification(
            "checked",
            "DC0",
            "DC0_C0",
            "",
            "LocalDS_0",
            List.of(
                new PortGroupNetwork(
                    "pods",
                    portGroup,
                    "10.5.0.0/24",
                    "10.5.0.1",
                    "10.5.0.2",
                    "10.5.0.9",
                    List.of(),
                    1500)),
            URI.create("tcp://10.1.0.1:7002"),
            "",
            Limits.NONE);
    return new Places(tree, new Findings()).resolve(wanted).orElseThrow();
  }

  private List<VchProblem> problems(long isoSize) {
    Findings findings = new Findings();
    new HostChecks(client, findings).check(plan(InventoryTree.read(client), "DC0_DVPG0"), isoSize);
    try {
      findings.raise();
      return List.of();
    } catch (InvalidVchException e) {
      return e.problems();
    }
  }

  @Test
  void aGoodClusterHasNone() {
    assertEquals(List.of(), problems(1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"enabled\": false}|DRS is off in DC0_C0",
        "{\"enabled\": true, \"defaultVmBehavior\": \"manual\"}|DRS is manual in DC0_C0"
      })
  void drsPlacesVmsByItself(String settings, String problem) {
    drs(settings);
    List<VchProblem> found = problems(1);
    assertEquals(1, found.size());
    assertTrue(found.getFirst().text().startsWith(problem), found::toString);
  }

  @Test
  void aClosedFirewallIsTold() {
    ManagedObjectReference host = LabFolder.find(client, "DC0/host/DC0_C0/DC0_C0_H1");
    ManagedObjectReference firewall =
        ManagedObject.read(client, host, List.of("configManager.firewallSystem"))
            .get("configManager.firewallSystem", ManagedObjectReference.class)
            .orElseThrow();
    client.run(firewall, new DisableRuleset("remoteSerialPort"));
    try {
      List<VchProblem> found = problems(1);
      assertEquals(1, found.size());
      assertTrue(found.getFirst().text().startsWith("the firewalls of DC0_C0_H1 let"));
      client.run(firewall, new EnableRuleset("vSPC"));
      assertEquals(List.of(), problems(1), "either rule set will do");
      client.run(firewall, new DisableRuleset("vSPC"));
    } finally {
      client.run(firewall, new EnableRuleset("remoteSerialPort"));
    }
  }

  @Test
  void aDatastoreThatIsTooSmallIsTold() {
    List<VchProblem> found = problems(1L << 50);
    assertEquals(1, found.size());
    assertEquals("datastore", found.getFirst().option());
    assertTrue(found.getFirst().text().contains("MiB free"), found::toString);
  }

  @Test
  void aSwitchsUplinksAreNoNetwork() {
    InventoryTree tree = InventoryTree.read(client);
    String uplinks =
        tree.all("DistributedVirtualPortgroup")
            .map(InventoryTree::name)
            .filter(name -> name.contains("Uplinks"))
            .findFirst()
            .orElseThrow();
    Findings findings = new Findings();
    new NetworkChecks(client, tree, findings).check(plan(tree, uplinks));
    InvalidVchException refused = assertThrows(InvalidVchException.class, findings::raise);
    assertTrue(refused.problems().getFirst().text().contains("holds a switch's uplinks"));
  }

  @Test
  void anArtifactThatIsNoneIsTold() {
    assertThrows(RuntimeException.class, () -> BootstrapIso.open(Path.of("/no/such")));
  }
}
