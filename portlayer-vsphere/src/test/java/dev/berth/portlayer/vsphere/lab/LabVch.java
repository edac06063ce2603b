package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.Parts;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.vsphere.VsphereConfiguration;
import dev.berth.portlayer.vsphere.VspherePortLayer;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.compute.GroupIndex;
import dev.berth.portlayer.vsphere.compute.VchSettings;
import dev.berth.portlayer.vsphere.compute.VsphereGroups;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.network.VsphereNetwork;
import dev.berth.portlayer.vsphere.storage.VsphereStorage;
import dev.berth.portlayer.vsphere.vch.BootstrapIso;
import dev.berth.portlayer.vsphere.vch.InstalledVch;
import dev.berth.portlayer.vsphere.vch.VchAdministration;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/** A VCH in the lab: its pool, its folders and the services on them. */
public final class LabVch implements AutoCloseable {
  private static final String BOOT =
      """
      {"schema": 1, "kernelVersion": "6.1", "iso": "bootstrap.iso", "overheadMebibytes": 32}
      """;

  /** So that whatever a VCH needs is needed for this too. */
  private static final String CONTROL_NETWORK = "DC0_DVPG1";

  /** No two VCHs of a vCenter may have the same addresses. */
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final TestLab lab;
  private final String name = "vch-" + UUID.randomUUID();
  private final Path directory;
  private final TestRegistry registry = new TestRegistry();
  private final VimSettings administrator;
  private final InstalledVch vch;
  private final VimSettings user;
  private Services services;

  /** What a control plane has in memory. */
  public record Services(
      VimClient client,
      PropertyStream stream,
      GroupIndex index,
      DatastoreFiles files,
      EventLog events,
      VsphereNetwork network,
      VsphereStorage storage,
      VsphereGroups groups,
      Parts parts)
      implements AutoCloseable {
    /** Idempotent. */
    @Override
    public void close() {
      parts.close();
    }
  }

  public LabVch(TestLab lab) {
    this(lab, lab.settings(), vch -> lab.settings());
  }

  /**
   * A VCH with users of its own.
   *
   * @param administrator who makes and removes it
   * @param operations gives, for what was made, who runs containerVMs in it
   */
  public LabVch(
      TestLab lab, VimSettings administrator, Function<InstalledVch, VimSettings> operations) {
    this.lab = lab;
    this.administrator = administrator;
    lab.reset();
    directory = boot();
    try (VimClient client = VimClient.connect(administrator)) {
      vch = create(client, COUNT.incrementAndGet());
    }
    user = operations.apply(vch);
    services = open();
  }

  private static Path boot() {
    try {
      Path directory = Files.createTempDirectory("vch");
      Files.writeString(directory.resolve("boot.json"), BOOT);
      Files.writeString(directory.resolve("bootstrap.iso"), "no image");
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private InstalledVch create(VimClient client, int number) {
    String subnet = "10.%d.".formatted(100 + number);
    VchSpecification specification =
        new VchSpecification(
            name,
            "DC0",
            "DC0_C0",
            "",
            "LocalDS_0",
            List.of(
                new PortGroupNetwork(
                    "pods",
                    "DC0_DVPG0",
                    subnet + "0.0/16",
                    subnet + "0.1",
                    subnet + "0.1",
                    subnet + "255.254",
                    List.of(),
                    1500)),
            URI.create("tcp://127.0.0.1:" + number),
            CONTROL_NETWORK,
            VchSpecification.Limits.NONE);
    try (VchAdministration vches = VchAdministration.open(client)) {
      vches.create(specification, BootstrapIso.open(directory), (sent, total) -> {});
    }
    return InstalledVch.find(client, name, "the authority's certificate");
  }

  private Services open() {
    Parts parts = new Parts();
    boolean done = false;
    try {
      Services opened = open(parts);
      done = true;
      return opened;
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    } finally {
      if (!done) {
        parts.close();
      }
    }
  }

  private Services open(Parts parts) {
    VimClient client = parts.add(VimClient.connect(user));
    VchSettings settings = vch.settings();
    EventLog events = new EventLog(1000);
    GroupIndex index = new GroupIndex(name, events);
    PropertyStream stream =
        parts.add(
            PropertyStream.open(
                client, List.of(GroupIndex.filter(settings.folder(), settings.pool())), index));
    DatastoreFiles files =
        new DatastoreFiles(
            client, stream, settings.datacenter(), vch.datacenterName(), vch.datastore());
    ImageStore images = parts.add(ImageStore.open(images()));
    VsphereNetwork network =
        new VsphereNetwork(name, files, settings.root(), vch.record().networks());
    VsphereStorage storage =
        new VsphereStorage(images, files, settings.root(), directory, index::attached);
    VsphereGroups groups =
        new VsphereGroups(
            client, stream, index, files, settings, 100, events, storage::exists, network::exists);
    return new Services(client, stream, index, files, events, network, storage, groups, parts);
  }

  private ImageStoreConfiguration images() {
    return ImageStoreConfiguration.defaults(directory.resolve("images"))
        .withRegistries(List.of(registry.configuration()));
  }

  /** The whole port layer, in place of {@link #services}, which have to be closed before. */
  public VspherePortLayer openPortLayer() {
    return VspherePortLayer.open(
        new VsphereConfiguration(
            name,
            user,
            directory,
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            Optional.empty(),
            100,
            images()));
  }

  public TestLab lab() {
    return lab;
  }

  public InstalledVch installed() {
    return vch;
  }

  public VchSettings settings() {
    return vch.settings();
  }

  public TestRegistry registry() {
    return registry;
  }

  /** What an administrator does to the cluster's groups of hosts. */
  public void changeHostGroup(ClusterGroupSpec change) {
    services.stream()
        .run(
            vch.settings().cluster(),
            new Methods.ReconfigureComputeResource(
                new ClusterConfigSpecEx(List.of(), List.of(change)), true),
            Duration.ofMinutes(1));
  }

  /** The services of the control plane that runs now. */
  public Services services() {
    return services;
  }

  /**
   * Another control plane, which knows what vCenter and the datastore tell, and nothing else. When
   * this fails there is none, until it is done again.
   */
  public Services restart() {
    services.close();
    services = open();
    return services;
  }

  @Override
  public void close() {
    lab.reset();
    services.close();
    try (VimClient client = VimClient.connect(administrator);
        VchAdministration vches = VchAdministration.open(client)) {
      vches.delete(name, true);
    }
    registry.close();
    TestLab.delete(directory);
  }
}
