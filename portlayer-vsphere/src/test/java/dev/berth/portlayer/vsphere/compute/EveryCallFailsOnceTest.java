package dev.berth.portlayer.vsphere.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.VspherePortLayer;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterHostGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The life of a group of two VMs that are bound to a group of hosts, from the upload of their image
 * to its removal, with a control plane that is replaced in the middle. In turn each call of it is
 * refused, and the answer to each is lost, and whoever asked asks again, as the provider does.
 */
@ExtendWith(TestLab.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class EveryCallFailsOnceTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final int ATTEMPTS = 3;
  private static final Pattern PROPERTY = Pattern.compile("vCenter: \\w+(:\\S+)?\\.\\w+: ");
  private static final int MOST_CALLS = 60;
  private static final String HOST_GROUP = "tenant";
  private static final List<String> FILES = List.of("HEAD /folder/", "PUT /folder/");

  /**
   * The stream's own question, which is always open, and the end of a session, which nobody waits
   * for: PropertyStreamTest and VimClientTest have them.
   */
  private static final Set<String> ELSEWHERE = Set.of("WaitForUpdatesEx", "Logout");

  /**
   * Of the two calls that are made most often, and that the client repeats by itself, every sixth
   * answer is lost in one life: each still has its turn, in six lives for all of them.
   */
  private static final Map<String, Integer> STRIDES =
      Map.of("ModifyListView, lost", 6, "RetrievePropertiesEx, lost", 6);

  private final TestLab lab;
  private final LabVch vch;
  private final String reference;

  /** Somebody who looks at what there is. */
  private final VimClient client;

  private final PropertyStream tasks;
  private final DatastoreFiles files;
  private int lives;

  /** What was told to whoever asked. */
  private final List<String> told = new ArrayList<>();

  EveryCallFailsOnceTest(TestLab lab) {
    this.lab = lab;
    vch = new LabVch(lab);
    TestImage image =
        new TestImage().layer(new TarBuilder().file("a", "a").build(), TestImage.Compression.GZIP);
    reference = vch.registry().push("life", "1", image);
    client = VimClient.connect(lab.settings());
    tasks = PropertyStream.open(client, List.of(), (stream, changed) -> {});
    files =
        new DatastoreFiles(
            client,
            tasks,
            vch.settings().datacenter(),
            vch.installed().datacenterName(),
            vch.installed().datastore());
    var host = LabFolder.find(client, "DC0/host/DC0_C0/DC0_C0_H2");
    vch.changeHostGroup(ClusterGroupSpec.add(new ClusterHostGroup(HOST_GROUP, List.of(host))));
  }

  @AfterAll
  void close() {
    lab.reset();
    tasks.close();
    client.close();
    vch.restart();
    vch.changeHostGroup(ClusterGroupSpec.remove(HOST_GROUP));
    vch.close();
  }

  private <T> T insist(Supplier<T> step) {
    for (int attempt = 1; ; attempt++) {
      try {
        return step.get();
      } catch (PortLayerException e) {
        told.add(e.code() + ": " + e.getMessage());
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private void insist(Runnable step) {
    insist(
        () -> {
          step.run();
          return true;
        });
  }

  private void live() {
    String life = "life-" + lives++;
    List<ContainerVmSpec> members =
        Stream.of(life + "-0", life + "-1").map(id -> insist(() -> member(id))).toList();
    GroupSpec spec =
        new GroupSpec(
            life,
            "default/" + life,
            new Placement(true, Optional.of(HOST_GROUP)),
            members,
            Map.of());
    insist(() -> vch.services().groups().create(spec));
    assertEquals(2, vms(), "no VM twice");
    insist(() -> vch.services().groups().powerOn(life));
    vch.services().close();
    try (VspherePortLayer portLayer = insist(vch::openPortLayer)) {
      assertEquals(spec, portLayer.compute().find(life).orElseThrow().spec());
      end(portLayer, spec);
    }
  }

  private ContainerVmSpec member(String id) {
    Image image =
        vch.services()
            .storage()
            .pullImage(new ImageRequest(reference, List.of(), Duration.ofMinutes(1)));
    var scratch = vch.services().storage().createDisk(id + "-s", Role.SCRATCH, 16 * MEBIBYTE);
    var nic = vch.services().network().createEndpoint(id + "-n", "pods");
    return new ContainerVmSpec(
        id,
        "guest",
        new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
        image.id(),
        List.of(image.disk(), scratch),
        List.of(nic),
        Map.of());
  }

  private void end(VspherePortLayer portLayer, GroupSpec spec) {
    insist(() -> portLayer.compute().destroy(spec.id()));
    for (ContainerVmSpec member : spec.members()) {
      insist(() -> portLayer.storage().deleteDisk(member.id() + "-s"));
      insist(() -> portLayer.network().deleteEndpoint(member.id() + "-n"));
    }
    String image = spec.members().getFirst().imageId();
    insist(() -> portLayer.storage().removeImage(image, Set.of()));
  }

  /** The next life begins without a template. */
  private void assertNothingIsLeft() {
    lab.reset();
    for (String name : List.of("vms", "disks", "endpoints", "images")) {
      assertEquals(List.of(), files.list(folder(name)), name);
    }
    assertClusterIsAsBefore();
    files.delete(folder("templates"));
    vch.restart();
    assertEquals(0, vms(), "no VM");
    assertEquals(List.of(), files.list(folder("unfinished")), "unfinished");
  }

  private void assertClusterIsAsBefore() {
    ClusterConfigInfoEx cluster =
        client
            .property(vch.settings().cluster(), "configurationEx", ClusterConfigInfoEx.class)
            .orElseThrow();
    assertEquals(List.of(), cluster.rule(), "no rule");
    assertEquals(1, cluster.group().size(), "no group but the administrator's");
  }

  private int vms() {
    return vch.services().stream().objects("VirtualMachine").size();
  }

  private DatastorePath folder(String name) {
    return vch.settings().root().resolve(name);
  }

  @TestFactory
  Stream<DynamicTest> everyCallFailsOnce() {
    live();
    assertNothingIsLeft();
    lab.reset();
    live();
    Map<String, Integer> calls = lab.calls();
    assertNothingIsLeft();
    assertTrue(calls.containsKey("CreateVM_Task"), calls::toString);
    Stream<Failure> methods =
        calls.keySet().stream()
            .filter(method -> !ELSEWHERE.contains(method))
            .flatMap(
                method ->
                    Stream.of("refused", "lost").map(way -> new Failure("method", method, way)));
    Stream<Failure> requests =
        FILES.stream()
            .flatMap(
                path -> Stream.of("status", "lost").map(way -> new Failure("path", path, way)));
    return Stream.concat(methods, requests)
        .map(
            failure ->
                DynamicTest.dynamicTest(
                    "each " + failure,
                    () -> each(failure, STRIDES.getOrDefault(failure.toString(), 0))));
  }

  /** What fails: a method, or requests for files. */
  private record Failure(String kind, String name, String way) {
    Map<String, Object> rule(int nth) {
      return Map.of(kind, name, "way", way, "nth", nth, "fault", "HostCommunication");
    }

    /** Whether somebody who reads of it sees what has failed: a call, or a property's reading. */
    boolean isNamedBy(String message) {
      String call = name.replace("_Task", "").toLowerCase(Locale.ROOT);
      return message.toLowerCase(Locale.ROOT).contains(call)
          || (name.equals("RetrievePropertiesEx") && PROPERTY.matcher(message).find());
    }

    @Override
    public String toString() {
      return name + ", " + way;
    }
  }

  /**
   * Lives until there is a life that has no such call.
   *
   * @param stride of the calls that fail in one life, or 0 for one in each
   */
  private void each(Failure failure, int stride) {
    for (int nth = 1; stride == 0 || nth <= stride; nth++) {
      for (int again = 0; again < (stride == 0 ? 1 : MOST_CALLS / stride); again++) {
        lab.fault(failure.rule(nth + again * stride));
      }
      told.clear();
      boolean over = false;
      try {
        live();
        assertTrue(told.stream().allMatch(failure::isNamedBy), () -> failure + ": " + told);
        int failed = lab.faults();
        assertTrue(nth > 1 || failed > 0, () -> "there is no call of " + failure);
        over = failed == 0;
        assertNothingIsLeft();
      } catch (PortLayerException | AssertionError e) {
        clear();
        throw new AssertionError("number %d of %s; told: %s".formatted(nth, failure, told), e);
      }
      if (over) {
        return;
      }
    }
  }

  /** For the next failure, after a life that has not ended well. */
  private void clear() {
    lab.reset();
    vch.restart();
    List.copyOf(vch.services().groups().list())
        .forEach(group -> vch.services().groups().destroy(group.spec().id()));
    List.of("vms", "disks", "endpoints", "images", "templates")
        .forEach(name -> files.delete(folder(name)));
    vch.restart();
  }
}
