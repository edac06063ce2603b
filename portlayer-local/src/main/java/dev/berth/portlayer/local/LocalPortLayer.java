package dev.berth.portlayer.local;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.local.compute.Environment;
import dev.berth.portlayer.local.compute.LocalCompute;
import dev.berth.portlayer.local.compute.Remains;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.CpuGroup;
import dev.berth.portlayer.local.host.DirectoryLock;
import dev.berth.portlayer.local.host.FileWatcher;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.local.network.LocalNetwork;
import dev.berth.portlayer.local.qemu.Accelerator;
import dev.berth.portlayer.local.qemu.AcceleratorProbe;
import dev.berth.portlayer.local.qemu.BootArtifact;
import dev.berth.portlayer.local.qemu.Host;
import dev.berth.portlayer.local.storage.ImageDisks;
import dev.berth.portlayer.local.storage.LocalStorage;
import dev.berth.portlayer.local.storage.StoredImages;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.tether.TetherClients;
import dev.berth.portlayer.tether.TetherInteraction;
import dev.berth.portlayer.tether.VchAuthority;
import java.nio.file.Files;
import java.nio.file.Path;

/** A Virtual Container Host on this machine. */
public final class LocalPortLayer implements PortLayer {
  private static final int EVENTS = 10_000;
  private static final long MEBIBYTE = 1L << 20;

  /** What QEMU itself takes beside the guest's memory, most of it translated code. */
  private static final long EMULATOR_OVERHEAD = 64 * MEBIBYTE;

  private static final long HYPERVISOR_OVERHEAD = 32 * MEBIBYTE;
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private final DirectoryLock lock;
  private final ImageDisks images;
  private final FileWatcher watcher;
  private final TetherClients tethers;
  private final EventLog events = new EventLog(EVENTS);
  private final LocalNetwork network;
  private final LocalCompute compute;
  private final LocalStorage storage;
  private final InteractionService interaction;

  private LocalPortLayer(LocalConfiguration configuration, ImageDisks images, DirectoryLock lock) {
    Path directory = configuration.directory();
    this.lock = lock;
    this.images = images;
    HostCommands commands = new HostCommands(configuration.networkNamespace());
    BootArtifact artifact = BootArtifact.open(configuration.bootArtifact());
    AcceleratorProbe.Finding finding = new AcceleratorProbe(commands, directory, artifact).find();
    VchAuthority authority = VchAuthority.open(directory);
    this.network = network(configuration, commands);
    network.setUp();
    this.watcher = new FileWatcher();
    this.tethers = new TetherClients(authority);
    this.compute =
        new LocalCompute(
            new Environment(
                configuration.name(),
                directory.resolve("vms"),
                AtomicFiles.directory(configuration.runDirectory()),
                artifact,
                finding.accelerator(),
                finding.qemu(),
                Host.tscKilohertz(),
                authority,
                tethers,
                network,
                events,
                watcher,
                new CpuGroup(CGROUPS, configuration.name()),
                commands),
            capacity(configuration, artifact, finding.accelerator()));
    this.storage = new LocalStorage(directory, images, commands, compute::attached);
    this.interaction = new TetherInteraction(compute);
  }

  /** As {@link #open(LocalConfiguration, ImageDisks)}, with images from registries. */
  public static LocalPortLayer open(LocalConfiguration configuration) {
    ImageStore store = ImageStore.open(configuration.images());
    try {
      return open(configuration, new StoredImages(store));
    } catch (RuntimeException | Error e) {
      store.close();
      throw e;
    }
  }

  /**
   * Opens a VCH, made when it is not there: sets up its network, and finds the containerVMs that
   * run and those that ended meanwhile.
   *
   * @param images where its images come from; closed with the port layer
   * @throws PortLayerException FAILED_PRECONDITION when another process has it open, NOT_FOUND when
   *     the boot artifact is missing, UNSUPPORTED when a tool is missing
   */
  public static LocalPortLayer open(LocalConfiguration configuration, ImageDisks images) {
    DirectoryLock lock = DirectoryLock.take(AtomicFiles.directory(configuration.directory()));
    try {
      return new LocalPortLayer(configuration, images, lock);
    } catch (RuntimeException | Error e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Ends every containerVM of a VCH and removes all it has on the host: processes, bridges, taps,
   * packet filter, sockets, control groups and its directory. Idempotent.
   *
   * @throws PortLayerException FAILED_PRECONDITION when another process has it open
   */
  public static void removeEverything(LocalConfiguration configuration) {
    try (DirectoryLock held =
        DirectoryLock.take(AtomicFiles.directory(configuration.directory()))) {
      endAll(configuration.name(), configuration.directory(), configuration.runDirectory());
      HostCommands commands = new HostCommands(configuration.networkNamespace());
      network(configuration, commands).removeAll();
      AtomicFiles.delete(configuration.directory());
    }
  }

  /**
   * Ends every containerVM of a VCH and removes its sockets and control groups. Its directory
   * stays, and a VCH opened on it finds them as after a restart of the host. Its network is not
   * touched. Idempotent; also of a VCH that never was.
   *
   * @param name the VCH's
   * @param directory of its state
   * @param runDirectory of its sockets
   * @throws PortLayerException FAILED_PRECONDITION when another process has it open
   */
  public static void endContainerVms(String name, Path directory, Path runDirectory) {
    if (!Files.isDirectory(directory)) {
      AtomicFiles.delete(runDirectory);
      return;
    }
    try (DirectoryLock held = DirectoryLock.take(directory)) {
      endAll(name, directory, runDirectory);
    }
  }

  private static void endAll(String name, Path directory, Path runDirectory) {
    CpuGroup cpuGroup = new CpuGroup(CGROUPS, name);
    Remains.end(directory.resolve("vms"), runDirectory, cpuGroup);
    cpuGroup.removeAll();
    AtomicFiles.delete(runDirectory);
  }

  private static LocalNetwork network(LocalConfiguration configuration, HostCommands commands) {
    return new LocalNetwork(
        configuration.name(),
        configuration.networks(),
        configuration.allowedHostPorts(),
        configuration.virtualPorts(),
        configuration.directory().resolve("addresses.json"),
        commands);
  }

  private static Capacity capacity(
      LocalConfiguration configuration, BootArtifact artifact, Accelerator accelerator) {
    long qemu = accelerator == Accelerator.TCG ? EMULATOR_OVERHEAD : HYPERVISOR_OVERHEAD;
    LocalConfiguration.Pool pool = configuration.pool();
    return new Capacity(
        pool.cpuMillis(),
        pool.memory(),
        pool.containerVms(),
        artifact.overheadMebibytes() * MEBIBYTE + qemu);
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

  @Override
  public void close() {
    compute.close();
    tethers.close();
    watcher.close();
    images.close();
    lock.close();
  }
}
