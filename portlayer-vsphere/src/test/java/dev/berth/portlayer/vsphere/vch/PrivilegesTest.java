package dev.berth.portlayer.vsphere.vch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.LabUser;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vch.Privileges.Place;
import dev.berth.portlayer.vsphere.vch.Privileges.Privilege;
import dev.berth.portlayer.vsphere.vch.Privileges.Use;
import dev.berth.portlayer.vsphere.vch.Privileges.User;
import dev.berth.portlayer.vsphere.vim.Administration.Permission;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The privileges that are documented are enough, and none of them is too much. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class PrivilegesTest {
  private static final long MEBIBYTE = 1 << 20;

  private final TestLab lab;
  private final LabUser administrator;
  private final LabUser operations;
  private VimClient root;

  PrivilegesTest(TestLab lab) {
    this.lab = lab;
    lab.reset();
    administrator = new LabUser(lab);
    operations = new LabUser(lab);
  }

  @BeforeEach
  void connect() {
    root = VimClient.connect(lab.settings());
  }

  @AfterEach
  void close() {
    root.close();
  }

  private void allowAdministrator(Optional<Privilege> without) {
    allow(
        administrator,
        User.ADMINISTRATOR,
        Map.of(
            Place.VCENTER, root.content().rootFolder(),
            Place.VM_FOLDER, LabFolder.find(root, "DC0/vm"),
            Place.POOL, LabFolder.find(root, "DC0/host/DC0_C0/Resources"),
            Place.CLUSTER, LabFolder.find(root, "DC0/host/DC0_C0"),
            Place.DATASTORE, LabFolder.find(root, "DC0/datastore/LocalDS_0"),
            Place.NETWORK, LabFolder.find(root, "DC0/network/DC0_DVPG0")),
        without);
  }

  private VimSettings allowOperations(InstalledVch vch, Optional<Privilege> without) {
    allow(
        operations,
        User.OPERATIONS,
        Map.of(
            Place.VM_FOLDER, vch.settings().folder(),
            Place.POOL, vch.settings().pool(),
            Place.CLUSTER, vch.settings().cluster(),
            Place.DATASTORE, vch.datastore(),
            Place.NETWORK, LabFolder.find(root, "DC0/network/DC0_DVPG0")),
        without);
    return operations.settings();
  }

  private void allow(
      LabUser user,
      User kind,
      Map<Place, ManagedObjectReference> places,
      Optional<Privilege> without) {
    places.forEach((place, object) -> allow(user, kind, place, object, without));
    allow(user, kind, Place.NETWORK, LabFolder.find(root, "DC0/network/DC0_DVPG1"), without);
  }

  private void allow(
      LabUser user,
      User kind,
      Place place,
      ManagedObjectReference object,
      Optional<Privilege> without) {
    user.may(
        root,
        object,
        Privileges.of(kind).stream()
            .filter(privilege -> privilege.place() == place)
            .filter(privilege -> !Optional.of(privilege).equals(without))
            .map(Privilege::id)
            .toList());
  }

  /** All that a control plane does, from a pull to the end of a pod. */
  private static void live(LabVch vch) {
    GroupSpec pod = start(vch);
    LabVch.Services services = vch.services();
    services.groups().powerOff(pod.id());
    services.groups().destroy(pod.id());
    pod.members().forEach(vm -> services.storage().deleteDisk(vm.id() + "-s"));
    pod.members().forEach(vm -> services.network().deleteEndpoint(vm.id() + "-n"));
  }

  private static GroupSpec start(LabVch vch) {
    LabVch.Services services = vch.services();
    TestImage content =
        new TestImage().layer(new TarBuilder().file("a", "a").build(), TestImage.Compression.GZIP);
    Image image =
        services
            .storage()
            .pullImage(
                new ImageRequest(
                    vch.registry().push("life", "1", content), List.of(), Duration.ofMinutes(1)));
    List<ContainerVmSpec> vms = new ArrayList<>();
    for (String id : List.of("one", "two")) {
      vms.add(
          new ContainerVmSpec(
              id,
              "guest",
              new Resources(1, 500, 100, 64 * MEBIBYTE, 32 * MEBIBYTE),
              image.id(),
              List.of(
                  image.disk(),
                  services.storage().createDisk(id + "-s", Role.SCRATCH, 16 * MEBIBYTE)),
              List.of(services.network().createEndpoint(id + "-n", "pods")),
              Map.of()));
    }
    GroupSpec pod = new GroupSpec("pod", "pod", Placement.anywhereTogether(), vms, Map.of());
    services.groups().create(pod);
    services.groups().powerOn(pod.id());
    return pod;
  }

  @Test
  void theyAreEnough() {
    allowAdministrator(Optional.empty());
    LabVch vch =
        new LabVch(lab, administrator.settings(), made -> allowOperations(made, Optional.empty()));
    live(vch);
    vch.restart();
    live(vch);
    vch.close();
  }

  @Test
  void theyAreGranted() {
    allowAdministrator(Optional.empty());
    LabVch vch =
        new LabVch(
            lab,
            administrator.settings(),
            made -> {
              assertNotEquals(List.of(), grant(made));
              assertEquals(List.of(), grant(made), "once is enough");
              return operations.settings();
            });
    live(vch);
    vch.close();
  }

  private List<String> grant(InstalledVch vch) {
    return grant(vch, operations);
  }

  private List<String> grant(InstalledVch vch, LabUser user) {
    try (VimClient client = VimClient.connect(administrator.settings());
        VchAdministration vches = VchAdministration.open(client)) {
      return vches.grant(vch.record().name(), user.name());
    }
  }

  private Optional<Integer> role(ManagedObjectReference object, LabUser user) {
    return root
        .find(
            root.content().authorizationManager(),
            new Methods.RetrieveEntityPermissions(object, false))
        .stream()
        .flatMap(List::stream)
        .filter(permission -> permission.principal().equals(user.name()))
        .map(Permission::roleId)
        .findFirst();
  }

  @Test
  void anotherRoleOfTheUserStays() {
    allowAdministrator(Optional.empty());
    try (LabVch vch = new LabVch(lab, lab.settings(), made -> lab.settings())) {
      operations.may(
          root, LabFolder.find(root, "DC0/datastore/LocalDS_0"), List.of("Datastore.Browse"));

      InvalidVchException refused =
          assertThrows(InvalidVchException.class, () -> grant(vch.installed()));

      assertTrue(refused.problems().toString().contains("LocalDS_0"), refused::toString);
      assertEquals(
          Optional.empty(),
          role(vch.installed().settings().pool(), operations),
          "nothing was changed");
    }
  }

  @Test
  void aUserIsOneThatThereIs() {
    try (LabVch vch = new LabVch(lab, lab.settings(), made -> lab.settings());
        VchAdministration vches = VchAdministration.open(root)) {
      InvalidVchException refused =
          assertThrows(
              InvalidVchException.class,
              () -> vches.grant(vch.installed().record().name(), "nobody@vsphere.local"));
      assertTrue(refused.problems().toString().contains("nobody@vsphere.local"), refused::toString);
    }
  }

  static Stream<Privilege> granting() {
    return ofAdministrator(Use.GRANT);
  }

  @ParameterizedTest
  @MethodSource
  void granting(Privilege without) {
    allowAdministrator(Optional.empty());
    try (LabVch vch = new LabVch(lab, lab.settings(), made -> lab.settings())) {
      grant(vch.installed());
      // A role of an older Berth's is brought up to date.
      root.run(
          root.content().authorizationManager(),
          new Methods.UpdateAuthorizationRole(
              role(vch.installed().settings().pool(), operations).orElseThrow(),
              "berth-operations-pool",
              List.of("Resource.EditPool")));
      LabUser another = new LabUser(lab);
      allowAdministrator(Optional.of(without));

      PortLayerException refused =
          assertThrows(PortLayerException.class, () -> grant(vch.installed(), another));

      assertEquals(Code.PERMISSION_DENIED, refused.code(), refused::toString);
      allowAdministrator(Optional.empty());
      assertNotEquals(List.of(), grant(vch.installed(), another));
    }
  }

  @Test
  void theyAreThoseOfTheDocumentation() throws IOException {
    String documentation = Files.readString(Path.of("../docs/vsphere.md"));
    Set<String> documented =
        Pattern.compile("`([A-Z][A-Za-z]+(?:\\.[A-Z][A-Za-z]+)+)`")
            .matcher(documentation)
            .results()
            .map(match -> match.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        Stream.of(User.values())
            .flatMap(user -> Privileges.of(user).stream())
            .map(Privilege::id)
            .collect(Collectors.toCollection(TreeSet::new)),
        documented);
  }

  static Stream<Privilege> ofOperations() {
    return Privileges.of(User.OPERATIONS).stream();
  }

  @ParameterizedTest
  @MethodSource
  void ofOperations(Privilege without) {
    LabVch vch = new LabVch(lab, lab.settings(), made -> allowOperations(made, Optional.empty()));
    allowOperations(vch.installed(), Optional.of(without));
    try {
      PortLayerException refused =
          assertThrows(PortLayerException.class, () -> live(vch), without::toString);
      assertEquals(Code.PERMISSION_DENIED, refused.code(), refused::toString);
    } finally {
      vch.close();
    }
  }

  static Stream<Privilege> creating() {
    return ofAdministrator(Use.CREATION);
  }

  private static Stream<Privilege> ofAdministrator(Use use) {
    return Privileges.of(User.ADMINISTRATOR).stream().filter(privilege -> privilege.use() == use);
  }

  @ParameterizedTest
  @MethodSource
  void creating(Privilege without) {
    allowAdministrator(Optional.of(without));

    RuntimeException refused =
        assertThrows(
            RuntimeException.class,
            () -> new LabVch(lab, administrator.settings(), made -> lab.settings()).close());

    assertTrue(
        refused instanceof InvalidVchException wrong
            && wrong.problems().size() == 1
            && wrong.problems().getFirst().text().contains(without.id()),
        refused::toString);
  }

  static Stream<Privilege> deletingByForce() {
    return ofAdministrator(Use.FORCED_DELETION);
  }

  @ParameterizedTest
  @MethodSource
  void deletingByForce(Privilege without) {
    allowAdministrator(Optional.empty());
    LabVch vch = new LabVch(lab, administrator.settings(), made -> lab.settings());
    start(vch);
    allowAdministrator(Optional.of(without));

    PortLayerException refused = assertThrows(PortLayerException.class, vch::close);

    assertEquals(Code.PERMISSION_DENIED, refused.code(), refused::toString);
    allowAdministrator(Optional.empty());
    vch.close();
  }
}
