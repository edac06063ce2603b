package dev.berth.cli.settings;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Everything {@code berth kubelet} is told, checked.
 *
 * @param kubeconfig empty inside of a cluster
 * @param directory for all state; made when missing
 * @param pods how many may run
 * @param defaultMemory bytes for a container without a limit
 * @param scratchSize bytes of a container's scratch disk
 * @param parallelStarts how many containerVMs may boot at a time
 */
public record KubeletSettings(
    String nodeName,
    Optional<Path> kubeconfig,
    Path directory,
    BackendSettings backend,
    Serving serving,
    int pods,
    Registry registry,
    Cluster cluster,
    long defaultMemory,
    long scratchSize,
    int parallelStarts) {
  private static final Pattern NODE_NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?");
  private static final long MEBIBYTE = 1 << 20;
  private static final long SMALLEST = 16 * MEBIBYTE;

  /** Of hosts whose number DRS knows and the node does not; what vCenter has to do at a time. */
  private static final int STARTS_ON_VSPHERE = 32;

  /** How the kubelet's API is served. */
  public record Serving(
      InetAddress address, int port, Path certificate, Path key, Optional<Path> clientAuthority) {}

  /**
   * Where images come from, and when they go.
   *
   * @param allow registries or repositories that may be pulled from; empty allows all
   * @param mirrors by registry
   * @param plainHttp registries spoken to without TLS
   * @param credentials a Docker configuration file
   */
  public record Registry(
      List<String> allow,
      Map<String, String> mirrors,
      List<String> plainHttp,
      Optional<Path> credentials,
      int collectAbove,
      int collectDownTo) {}

  /**
   * What pods are told of the cluster.
   *
   * @param serviceHost replaces the address of the kubernetes service in pods' environment
   */
  public record Cluster(
      List<String> nameServers, String domain, Optional<String> serviceHost, int servicePort) {}

  /** Checks all settings; the result is worth nothing when {@code problems} has any. */
  public static KubeletSettings of(Settings settings, Problems problems) {
    String node = settings.required("node-name", "the name under which the VCH joins the cluster");
    if (!node.isEmpty() && !NODE_NAME.matcher(node).matches()) {
      problems.add(
          "node-name",
          "\"%s\" must be lower-case letters, digits, dots and dashes".formatted(node));
    }
    Optional<Path> kubeconfig = settings.file("kubeconfig");
    if (settings.text("kubeconfig").isEmpty() && System.getenv("KUBERNETES_SERVICE_HOST") == null) {
      problems.add(
          "kubeconfig",
          "is missing: name the file with the node's credentials (only inside a cluster it can be left out)");
    }
    BackendSettings backend = BackendSettings.of(settings, problems);
    return new KubeletSettings(
        node,
        kubeconfig,
        Path.of(settings.required("directory", "where the VCH keeps its disks, logs and records")),
        backend,
        serving(settings),
        settings.integer("pod-limit", 1, 100_000).orElse(110),
        registry(settings, problems),
        cluster(settings),
        atLeast("default-memory", 256 * MEBIBYTE, settings, problems),
        atLeast("scratch-size", 10_240 * MEBIBYTE, settings, problems),
        settings.integer("parallel-starts", 1, 10_000).orElseGet(() -> parallelStarts(backend)));
  }

  private static int parallelStarts(BackendSettings backend) {
    return switch (backend) {
      case BackendSettings.Local _ -> startsOnThisMachine();
      case BackendSettings.Vsphere _ -> STARTS_ON_VSPHERE;
    };
  }

  /**
   * A boot takes a whole processor for its time: more of them at once end later, all together, and
   * under emulation past their deadlines.
   */
  public static int startsOnThisMachine() {
    return Math.max(2, Runtime.getRuntime().availableProcessors()) * 2;
  }

  private static Serving serving(Settings settings) {
    settings.required("tls-certificate", "the PEM file with the kubelet API's serving certificate");
    settings.required("tls-key", "the PEM file with the key of tls-certificate");
    return new Serving(
        settings.address("address").orElse(InetAddress.ofLiteral("0.0.0.0")),
        settings.integer("port", 1, 65_535).orElse(10_250),
        settings.file("tls-certificate").orElse(Path.of("")),
        settings.file("tls-key").orElse(Path.of("")),
        settings.file("client-authority"));
  }

  private static Registry registry(Settings settings, Problems problems) {
    int high = settings.integer("image-gc-high", 0, 100).orElse(85);
    int low = settings.integer("image-gc-low", 0, 100).orElse(Math.min(80, high));
    if (low > high) {
      problems.add("image-gc-low", "%d must not be above image-gc-high, %d".formatted(low, high));
    }
    return new Registry(
        settings.list("registry-allow"),
        settings.pairs(
            "registry-mirror", "REGISTRY=MIRROR such as docker.io=mirror.example.com:5000"),
        settings.list("registry-plain-http"),
        settings.file("registry-config"),
        high,
        low);
  }

  private static Cluster cluster(Settings settings) {
    return new Cluster(
        settings.addresses("cluster-dns"),
        settings.text("cluster-domain").orElse("cluster.local"),
        settings.text("kubernetes-service-host"),
        settings.integer("kubernetes-service-port", 1, 65_535).orElse(443));
  }

  private static long atLeast(String name, long byDefault, Settings settings, Problems problems) {
    long bytes = settings.bytes(name).orElse(byDefault);
    if (bytes < SMALLEST) {
      problems.add(name, "must be 16Mi or more");
    }
    return bytes;
  }
}
