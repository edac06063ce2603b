package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.vsphere.VsphereConfiguration;
import dev.berth.portlayer.vsphere.VspherePortLayer;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.BootstrapIso;
import dev.berth.portlayer.vsphere.vch.VchAdministration;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import dev.berth.portlayer.vsphere.vch.VchSpecification.Limits;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A VCH whose containerVMs boot, in a lab of its own, with its control plane. */
public final class BootedVch implements AutoCloseable {
  private static final String NAME = "vch";
  private static final List<String> HOSTS = List.of("DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2");
  private static final Path BOOT =
      Path.of(System.getProperty("berth.work", "../.berth")).resolve("boot");

  /** Of the port group that is for control planes. */
  private static final String CONTROL_NETWORK = "DC0_DVPG1";

  private final Optional<String> controlInterface;
  private final TestLab lab;
  private final TestRegistry registry = new TestRegistry();
  private final Path directory;
  private final InetSocketAddress control;
  private VspherePortLayer portLayer;

  public BootedVch() {
    this(Optional.empty());
  }

  /** One with a control network, on which this machine has the interface. */
  public static BootedVch withControlNetwork(String controlInterface) {
    return new BootedVch(Optional.of(controlInterface));
  }

  private BootedVch(Optional<String> controlInterface) {
    this.controlInterface = controlInterface;
    lab =
        TestLab.booting(
            controlInterface.stream()
                .flatMap(name -> Stream.of("--interface", CONTROL_NETWORK + "=" + name))
                .toArray(String[]::new));
    try {
      directory = Files.createTempDirectory("vch");
      control = freePort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (VimClient client = VimClient.connect(lab.settings());
        VchAdministration vches = VchAdministration.open(client)) {
      vches.create(specification(), BootstrapIso.open(BOOT), (done, total) -> {});
    }
    portLayer = open();
  }

  /** Hosts dial to it before and after a restart, so it cannot be chosen anew. */
  private static InetSocketAddress freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort());
    }
  }

  private VchSpecification specification() {
    return new VchSpecification(
        NAME,
        "DC0",
        "DC0_C0",
        "",
        "LocalDS_0",
        List.of(
            new PortGroupNetwork(
                "pods",
                "DC0_DVPG0",
                "10.9.0.0/24",
                "10.9.0.1",
                "10.9.0.2",
                "10.9.0.254",
                List.of(),
                1500)),
        URI.create("tcp://127.0.0.1:" + control.getPort()),
        controlInterface.isPresent() ? CONTROL_NETWORK : "",
        Limits.NONE);
  }

  private VspherePortLayer open() {
    return VspherePortLayer.open(
        new VsphereConfiguration(
            NAME,
            lab.settings(),
            directory,
            control,
            controlInterface,
            100,
            ImageStoreConfiguration.defaults(directory.resolve("images"))
                .withRegistries(List.of(registry.configuration()))));
  }

  /** Pushes an image with busybox and its applets. */
  public String push(String name) {
    return registry.push(name, "1", BusyboxImage.of(name));
  }

  public TestLab lab() {
    return lab;
  }

  public VspherePortLayer portLayer() {
    return portLayer;
  }

  /** Another control plane. */
  public VspherePortLayer restart() {
    portLayer.close();
    portLayer = open();
    return portLayer;
  }

  /** Moves the VCH's only VM, which is on, to another host. */
  public void migrate() {
    ofTheOnlyVm(
        (stream, client, vm) -> {
          ManagedObjectReference host = host(client, vm);
          ManagedObjectReference other =
              HOSTS.stream()
                  .map(name -> LabFolder.find(client, "DC0/host/DC0_C0/" + name))
                  .filter(found -> !found.equals(host))
                  .findFirst()
                  .orElseThrow();
          stream.run(vm, new MigrateVm(other, "defaultPriority"), Duration.ofMinutes(1));
          if (host(client, vm).equals(host)) {
            throw new IllegalStateException(vm + " has not moved");
          }
          return other;
        });
  }

  /** The name of the host that the VCH's only VM is on. */
  public String host() {
    return ofTheOnlyVm(
        (stream, client, vm) ->
            client.property(host(client, vm), "name", String.class).orElseThrow());
  }

  private interface VmWork<T> {
    T with(PropertyStream stream, VimClient client, ManagedObjectReference vm);
  }

  private <T> T ofTheOnlyVm(VmWork<T> work) {
    try (VimClient client = VimClient.connect(lab.settings())) {
      LabFolder folder = LabFolder.of(client, "DC0/vm/" + NAME);
      try (PropertyStream stream =
          PropertyStream.open(client, List.of(folder.filter()), (following, changed) -> {})) {
        return work.with(stream, client, stream.objects("VirtualMachine").getFirst().reference());
      }
    }
  }

  private static ManagedObjectReference host(VimClient client, ManagedObjectReference vm) {
    return client.property(vm, "runtime.host", ManagedObjectReference.class).orElseThrow();
  }

  /** Kills the QEMU of a containerVM. */
  public void lose(String containerVmId) {
    lab.qemu(containerVmId).orElseThrow().destroyForcibly();
  }

  @Override
  public void close() {
    try {
      List<Group> groups = portLayer.compute().list();
      groups.forEach(group -> portLayer.compute().destroy(group.spec().id()));
      portLayer.close();
    } catch (PortLayerException e) {
      throw new IllegalStateException(e);
    } finally {
      registry.close();
      closeLab();
      TestLab.delete(directory);
    }
  }

  private void closeLab() {
    try {
      lab.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
