package dev.berth.cli.settings;

import dev.berth.portlayer.vsphere.client.VimSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where containerVMs run, with the settings that there are for it alone. */
public sealed interface BackendSettings {
  /** What {@code berth vch create} is told for a VCH on vCenter. */
  List<String> OF_THE_VCH = List.of("boot", "cpu-limit", "memory-limit", "network");

  List<String> LOCAL = List.of("network-namespace", "allow-host-port", "kubernetes-service");

  List<String> VSPHERE =
      Stream.concat(
              VcenterSettings.NAMES.stream(),
              Stream.of("vch", "control-address", "control-interface", "host-group"))
          .toList();

  /** Instead of a namespace's name: all that are not named. */
  String OTHERS = "*";

  Pattern NAMESPACE = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

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
   * @param controlInterface of this machine, on the VCH's control network
   * @param hostGroups that pods are bound to, by namespace; {@link #OTHERS} has that of all others
   */
  record Vsphere(
      VimSettings vcenter,
      String vch,
      InetSocketAddress control,
      Optional<String> controlInterface,
      Map<String, String> hostGroups)
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
    Optional<String> controlInterface = controlInterface(settings, problems);
    Optional<VimSettings> vcenter = VcenterSettings.of(settings, problems);
    Map<String, String> hostGroups = hostGroups(settings, problems);
    if (control.isEmpty() || vcenter.isEmpty()) {
      return new Local(
          Path.of(""), 0, 0, Map.of(), new HostAccess(Optional.empty(), List.of(), Map.of()));
    }
    return new Vsphere(
        vcenter.get(),
        vch,
        new InetSocketAddress(InetAddress.ofLiteral(control.get().address()), control.get().port()),
        controlInterface,
        hostGroups);
  }

  private static Optional<String> controlInterface(Settings settings, Problems problems) {
    Optional<String> name = settings.text("control-interface");
    name.filter(wanted -> !isInterface(wanted))
        .ifPresent(
            wanted ->
                problems.add(
                    "control-interface",
                    "this machine has no network interface %s: 'ip link' lists those it has"
                        .formatted(wanted)));
    return name;
  }

  private static boolean isInterface(String name) {
    try {
      return NetworkInterface.getByName(name) != null;
    } catch (SocketException e) {
      return false;
    }
  }

  private static Map<String, String> hostGroups(Settings settings, Problems problems) {
    Map<String, String> groups =
        settings.pairs("host-group", "NAMESPACE=GROUP, or *=GROUP for all other namespaces");
    groups.keySet().stream()
        .filter(name -> !name.equals(OTHERS) && !NAMESPACE.matcher(name).matches())
        .forEach(
            name ->
                problems.add(
                    "host-group",
                    "\"%s\" is no namespace's name: write one, or * for all others"
                        .formatted(name)));
    return groups;
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
