package dev.berth.cli.settings;

import dev.berth.portlayer.vsphere.client.VimSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Where containerVMs run, with the settings that there are for it alone. */
public sealed interface BackendSettings {
  /** What {@code berth vch create} is told for a VCH on vCenter. */
  List<String> OF_THE_VCH = List.of("boot", "cpu-limit", "memory-limit", "network");

  List<String> LOCAL = List.of("network-namespace", "allow-host-port", "kubernetes-service");

  List<String> VSPHERE =
      Stream.concat(VcenterSettings.NAMES.stream(), Stream.of("vch", "control-address")).toList();

  /**
   * On this machine.
   *
   * @param boot the directory that the boot artifact is in
   * @param cpuMillis that all containerVMs together may use
   * @param memory the same, in bytes
   * @param networks subnets by name, the default one first
   */
  record Local(
      Path boot, long cpuMillis, long memory, Map<String, String> networks, HostAccess hostAccess)
      implements BackendSettings {}

  /**
   * What pods reach beyond their networks and the world.
   *
   * @param namespace a named network namespace instead of the host's own
   * @param allowed addresses and ports of this host
   * @param services cluster addresses of services by where they lead to
   */
  record HostAccess(
      Optional<String> namespace, List<Endpoint> allowed, Map<Endpoint, Endpoint> services) {}

  /**
   * In a VCH on vCenter.
   *
   * @param vch its name, as {@code berth vch create} made it
   * @param control where hypervisors' serial ports dial to
   */
  record Vsphere(VimSettings vcenter, String vch, InetSocketAddress control)
      implements BackendSettings {}

  /** Checks the settings of the backend; the result is worth nothing when there are problems. */
  static BackendSettings of(Settings settings, Problems problems) {
    String backend = settings.text("backend").orElse("local");
    if (backend.equals("vsphere")) {
      refuse(settings, OF_THE_VCH, "is set by 'berth vch create' for --backend vsphere", problems);
      refuse(settings, LOCAL, "is for --backend local alone", problems);
      return vsphere(settings, problems);
    }
    if (!backend.equals("local")) {
      problems.add("backend", "\"%s\" is not known: use local or vsphere".formatted(backend));
    } else {
      refuse(settings, VSPHERE, "is for --backend vsphere alone", problems);
    }
    return local(settings, problems);
  }

  private static void refuse(Settings settings, List<String> names, String why, Problems problems) {
    names.stream()
        .filter(name -> !settings.list(name).isEmpty())
        .forEach(name -> problems.add(name, why + ": leave it out"));
  }

  private static BackendSettings vsphere(Settings settings, Problems problems) {
    String vch = settings.required("vch", "the VCH's name, as 'berth vch create' made it");
    settings.required(
        "control-address", "the IP:PORT to listen on for hypervisors, as the VCH's control URI");
    Optional<Endpoint> control = settings.endpoint("control-address");
    Optional<VimSettings> vcenter = VcenterSettings.of(settings, problems);
    if (control.isEmpty() || vcenter.isEmpty()) {
      return new Local(
          Path.of(""), 0, 0, Map.of(), new HostAccess(Optional.empty(), List.of(), Map.of()));
    }
    return new Vsphere(
        vcenter.get(),
        vch,
        new InetSocketAddress(
            InetAddress.ofLiteral(control.get().address()), control.get().port()));
  }

  private static Local local(Settings settings, Problems problems) {
    Map<String, String> networks = settings.subnets("network");
    long processors = Runtime.getRuntime().availableProcessors() * 1_000L;
    return new Local(
        BootSetting.of(settings, "kernel, initramfs", problems).orElse(Path.of("")),
        settings.cpus("cpu-limit").orElse(processors),
        settings.bytes("memory-limit").orElse(Machine.memoryForVms()),
        networks.isEmpty() ? Map.of("pods", "10.222.0.0/24") : networks,
        hostAccess(settings, problems));
  }

  private static HostAccess hostAccess(Settings settings, Problems problems) {
    Optional<String> namespace = settings.text("network-namespace");
    namespace
        .filter(name -> !Files.exists(Path.of("/run/netns").resolve(name)))
        .ifPresent(
            name ->
                problems.add(
                    "network-namespace",
                    "there is no %s: make it with 'ip netns add %s'".formatted(name, name)));
    return new HostAccess(
        namespace,
        settings.endpoints("allow-host-port"),
        settings.endpointPairs("kubernetes-service"));
  }
}
