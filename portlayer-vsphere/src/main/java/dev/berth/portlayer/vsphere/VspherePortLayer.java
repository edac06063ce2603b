package dev.berth.portlayer.vsphere;

import dev.berth.portlayer.Parts;
import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.HostInformation;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogSource;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.tether.SerialEndpoint;
import dev.berth.portlayer.tether.TetherClient;
import dev.berth.portlayer.tether.TetherClients;
import dev.berth.portlayer.tether.TetherInteraction;
import dev.berth.portlayer.tether.VchAuthority;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.compute.GroupIndex;
import dev.berth.portlayer.vsphere.compute.VchSettings;
import dev.berth.portlayer.vsphere.compute.VsphereCompute;
import dev.berth.portlayer.vsphere.compute.VsphereGroups;
import dev.berth.portlayer.vsphere.events.EventScope;
import dev.berth.portlayer.vsphere.events.VcenterEvents;
import dev.berth.portlayer.vsphere.interaction.DatastoreLogSource;
import dev.berth.portlayer.vsphere.interaction.LogPolls;
import dev.berth.portlayer.vsphere.network.VsphereNetwork;
import dev.berth.portlayer.vsphere.storage.VsphereStorage;
import dev.berth.portlayer.vsphere.vch.InstalledVch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Virtual Container Host in a vCenter's resource pool. */
public final class VspherePortLayer implements PortLayer {
  private static final Logger LOG = LoggerFactory.getLogger(VspherePortLayer.class);
  private static final int EVENTS = 10_000;

  private final Parts parts = new Parts();

  private final VcenterEvents events;
  private final VsphereNetwork network;
  private final VsphereStorage storage;
  private final VsphereGroups groups;
  private final VsphereCompute compute;
  private final TetherInteraction interaction;

  private VspherePortLayer(VsphereConfiguration configuration) {
    boolean done = false;
    try {
      VchAuthority authority = VchAuthority.open(directory(configuration.directory()));
      VimClient client = parts.add(VimClient.connect(configuration.vcenter()));
      InstalledVch vch = InstalledVch.find(client, configuration.name(), authority.pem());
      VchSettings settings = vch.settings();
      check(settings, configuration);
      EventLog log = new EventLog(EVENTS);
      GroupIndex index = new GroupIndex(settings.name(), log);
      events =
          parts.add(
              new VcenterEvents(
                  client,
                  log,
                  new EventScope(settings.folder(), settings.cluster(), vch.datastore()),
                  index::subject,
                  configuration.directory().resolve("events.json")));
      PropertyStream stream = parts.add(stream(client, settings, index));
      DatastoreFiles files =
          new DatastoreFiles(
              client, stream, settings.datacenter(), vch.datacenterName(), vch.datastore());
      ImageStore images = parts.add(ImageStore.open(configuration.images()));
      network =
          new VsphereNetwork(settings.name(), files, settings.root(), vch.record().networks());
      storage =
          new VsphereStorage(
              images, files, settings.root(), configuration.directory(), index::attached);
      groups =
          new VsphereGroups(
              client,
              stream,
              index,
              files,
              settings,
              configuration.containerVms(),
              log,
              storage::exists,
              network::exists);
      LogPolls polls = new LogPolls();
      compute =
          parts.add(
              new VsphereCompute(
                  groups,
                  index,
                  host(vch, client),
                  parts.add(new TetherClients(authority)),
                  parts.add(new SerialEndpoint(configuration.control())),
                  configuration.controlInterface(),
                  id -> polls.wake(settings.log(id))));
      interaction = new TetherInteraction(new Guests(compute, files, settings, polls));
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /**
   * Opens a VCH that {@code berth vch create} has made, and finds its containerVMs as they are now.
   *
   * @throws PortLayerException NOT_FOUND when there is no such VCH, UNAUTHENTICATED,
   *     PERMISSION_DENIED, UNAVAILABLE, FAILED_PRECONDITION when another process has its directory
   *     open
   */
  public static VspherePortLayer open(VsphereConfiguration configuration) {
    try {
      return new VspherePortLayer(configuration);
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  private static void check(VchSettings vch, VsphereConfiguration configuration) {
    boolean inside = configuration.controlInterface().isPresent();
    if (inside && vch.controlNetwork().isEmpty()) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "the VCH %s has no control network: run 'berth vch create' with --control-network, or leave the control interface out"
              .formatted(vch.name()));
    }
    if (!inside && vch.controlNetwork().isPresent()) {
      LOG.warn(
          "The VCH {} has a control network, but no control interface is set: everything goes over serial ports",
          vch.name());
    }
  }

  private static Path directory(Path directory) {
    try {
      return Files.createDirectories(directory);
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot make the directory " + directory, e);
    }
  }

  private PropertyStream stream(VimClient client, VchSettings vch, GroupIndex index) {
    return PropertyStream.open(
        client,
        List.of(GroupIndex.filter(vch.folder(), vch.pool())),
        events::filters,
        (stream, changed) -> {
          index.changed(stream, changed);
          events.changed(changed);
        });
  }

  private static HostInformation host(InstalledVch vch, VimClient client) {
    return new HostInformation(
        vch.record().kernelVersion(),
        "Debian GNU/Linux 12 (containerVM)",
        "amd64",
        "vsphere://" + client.content().about().version());
  }

  private record Guests(
      VsphereCompute compute, DatastoreFiles files, VchSettings vch, LogPolls polls)
      implements TetherInteraction.Guests {
    @Override
    public ContainerVm observe(String containerVmId) {
      return compute.vm(containerVmId);
    }

    @Override
    public TetherClient tether(String containerVmId) {
      return compute.tether(containerVmId);
    }

    @Override
    public LogSource log(String containerVmId, boolean following) {
      var _ = observe(containerVmId);
      return new DatastoreLogSource(
          files,
          vch.log(containerVmId),
          polls,
          following ? DatastoreLogSource.FOLLOWING : Duration.ZERO);
    }
  }

  /**
   * The names of the groups of hosts in the VCH's cluster, as administrators made them: those that
   * a placement may name.
   *
   * @throws PortLayerException UNAVAILABLE, PERMISSION_DENIED
   */
  public Set<String> hostGroups() {
    return groups.hostGroups();
  }

  @Override
  public StorageService storage() {
    return storage;
  }

  @Override
  public NetworkService network() {
    return network;
  }

  @Override
  public ComputeService compute() {
    return compute;
  }

  @Override
  public EventService events() {
    return events;
  }

  @Override
  public InteractionService interaction() {
    return interaction;
  }

  /** Idempotent. */
  @Override
  public void close() {
    parts.close();
  }
}
