package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.compute.GroupIndex;
import dev.berth.portlayer.vsphere.compute.VchSettings;
import dev.berth.portlayer.vsphere.compute.VsphereGroups;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.network.PortGroups;
import dev.berth.portlayer.vsphere.network.VsphereNetwork;
import dev.berth.portlayer.vsphere.storage.VsphereStorage;
import dev.berth.portlayer.vsphere.vim.Clusters.ComputeResourceSummary;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceAllocationInfo;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.SharesInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A VCH in the lab: its pool, its folders and the services on them. */
public final class LabVch implements AutoCloseable {
  private static final Duration DEADLINE = Duration.ofMinutes(1);
  private static final PortGroupNetwork NETWORK =
      new PortGroupNetwork(
          "pods",
          "DC0_DVPG0",
          "10.9.0.0/24",
          "10.9.0.1",
          "10.9.0.1",
          "10.9.0.254",
          List.of(),
          1500);

  private final TestLab lab;
  private final String name = "vch-" + UUID.randomUUID();
  private final Path directory;
  private final TestRegistry registry = new TestRegistry();
  private final VchSettings settings;
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
      ImageStore images)
      implements AutoCloseable {
    @Override
    public void close() {
      stream.close();
      client.close();
      images.close();
    }
  }

  public LabVch(TestLab lab) {
    this.lab = lab;
    lab.reset();
    try {
      directory = Files.createTempDirectory("vch");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (VimClient client = VimClient.connect(lab.settings())) {
      settings = settings(client);
    }
    services = open();
  }

  private VchSettings settings(VimClient client) {
    ManagedObjectReference cluster = LabFolder.find(client, "DC0/host/DC0_C0");
    ComputeResourceSummary summary =
        client.property(cluster, "summary", ComputeResourceSummary.class).orElseThrow();
    DatastorePath root = new DatastorePath("LocalDS_0", name);
    var unlimited =
        new ResourceAllocationInfo(0L, true, ResourceAllocationInfo.UNLIMITED, SharesInfo.normal());
    return new VchSettings(
        name,
        LabFolder.find(client, "DC0"),
        cluster,
        client.call(
            LabFolder.find(client, "DC0/host/DC0_C0/Resources"),
            new Methods.CreateResourcePool(
                name, new ResourceConfigSpec(null, null, unlimited, unlimited))),
        LabFolder.create(client, name).reference(),
        root,
        root.resolve("bootstrap.iso"),
        "the authority's certificate",
        URI.create("tcp://127.0.0.1:9"),
        summary.totalCpu() / summary.numCpuCores(),
        32,
        Map.of(
            NETWORK.name(),
            PortGroups.backing(
                client, LabFolder.find(client, "DC0/network/" + NETWORK.portGroup()))));
  }

  private Services open() {
    VimClient client = VimClient.connect(lab.settings());
    EventLog events = new EventLog(1000);
    GroupIndex index = new GroupIndex(name, events);
    PropertyStream stream =
        PropertyStream.open(
            client, List.of(GroupIndex.filter(settings.folder(), settings.pool())), index);
    DatastoreFiles files =
        new DatastoreFiles(
            client,
            stream,
            settings.datacenter(),
            "DC0",
            LabFolder.find(client, "DC0/datastore/LocalDS_0"));
    files.makeDirectory(settings.root());
    files.touch(settings.iso());
    ImageStore images =
        ImageStore.open(
            ImageStoreConfiguration.defaults(directory.resolve("images"))
                .withRegistries(List.of(registry.configuration())));
    VsphereNetwork network = new VsphereNetwork(name, files, settings.root(), List.of(NETWORK));
    VsphereStorage storage =
        new VsphereStorage(images, files, settings.root(), directory, index::attached);
    VsphereGroups groups =
        new VsphereGroups(
            client, stream, index, files, settings, 100, events, storage::exists, network::exists);
    return new Services(client, stream, index, files, events, network, storage, groups, images);
  }

  public TestLab lab() {
    return lab;
  }

  public VchSettings settings() {
    return settings;
  }

  public TestRegistry registry() {
    return registry;
  }

  /** The services of the control plane that runs now. */
  public Services services() {
    return services;
  }

  /** Another control plane, which knows what vCenter and the datastore tell, and nothing else. */
  public Services restart() {
    services.close();
    services = open();
    return services;
  }

  @Override
  public void close() {
    lab.reset();
    List.copyOf(services.groups().list())
        .forEach(group -> services.groups().destroy(group.spec().id()));
    services.stream().run(settings.folder(), new Methods.Destroy(), DEADLINE);
    services.stream().run(settings.pool(), new Methods.Destroy(), DEADLINE);
    services.files().delete(settings.root());
    services.close();
    registry.close();
    TestLab.delete(directory);
  }
}
