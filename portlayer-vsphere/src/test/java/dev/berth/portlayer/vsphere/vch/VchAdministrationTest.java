package dev.berth.portlayer.vsphere.vch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Outcome;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Result;
import dev.berth.portlayer.vsphere.vch.VchSpecification.Limits;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    VchState state = vches.inspect(NAME);
    assertEquals(8192L << 20, state.memory());
    assertEquals(4000, state.megahertz());
    assertEquals(List.of(), state.missing());

    assertTrue(vches.delete(NAME, false));
    assertNothingIsLeft();
    assertFalse(vches.delete(NAME, false), "idempotent");
    PortLayerException gone =
        assertThrows(PortLayerException.class, () -> InstalledVch.find(client, NAME, ""));
    assertEquals(Code.NOT_FOUND, gone.code());
  }

  @ParameterizedTest
  @CsvSource({
    "MakeDirectory, refused",
    "MakeDirectory, lost",
    "MakeDirectory, broken",
    "CreateFolder, refused",
    "CreateFolder, lost",
    "CreateFolder, broken",
    "CreateResourcePool, refused",
    "CreateResourcePool, lost",
    "CreateResourcePool, broken",
    "UpdateConfig, refused",
    "UpdateConfig, lost",
    "MoveDatastoreFile_Task, refused",
    "MoveDatastoreFile_Task, task",
    "MoveDatastoreFile_Task, lost",
    "MoveDatastoreFile_Task, broken",
    "CreateContainerView, lost",
    "RetrievePropertiesEx, lost",
  })
  void eitherAllIsMadeOrNothing(String method, String way) {
    lab.fault(Map.of("method", method, "way", way, "fault", "SystemError"));
    try {
      assertEquals(Outcome.CREATED, create(wanted()).outcome());
      assertEquals(List.of(), vches.inspect(NAME).missing());
    } catch (PortLayerException e) {
      assertNothingIsLeft();
    }
    assertEquals(1, lab.faults(), "the fault was met");
  }
}
