package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.VirtualPort;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * One installation in one directory. Starting again goes on with what runs; stopping ends whatever
 * there is of it.
 */
final class Quickstart {
  static final String REGISTRY_NAME = "quickstart.berth.dev";

  private static final int API_PORT = 6443;
  private static final int REGISTRY_PORT = 5000;
  private static final int KUBELET_PORT = 10_250;

  /** Not a kubelet's usual one, which this host may have as well. */
  private static final int JOINED_KUBELET_PORT = 10_350;

  private static final int CONNECT_MILLIS = 500;

  private final Site site;
  private final Backend backend;

  Quickstart(Site site, Backend backend) {
    this.site = site;
    this.backend = backend;
  }

  /** Starts everything, a Kubernetes control plane included. */
  void start(List<String> kubeletOptions) {
    if (existing().joined()) {
      throw new QuickstartException(
          "node %s is in a cluster of yours: name its --kubeconfig again, or --stop first"
              .formatted(site.name()));
    }
    begin();
    Addresses addresses = Addresses.of(site.directory());
    HostNetwork network = new HostNetwork(site.name(), addresses);
    network.up();
    controlPlane(network, addresses);
    registry(network, addresses);
    VirtualPort kubernetes =
        new VirtualPort(
            addresses.kubernetesService(), 443, new HostPort(addresses.inside(), API_PORT));
    NodeCredentials credentials =
        new NodeCredentials(site.directory().resolve("control-plane/nodes").resolve(site.name()));
    List<String> command = kubeletCommand(credentials, addresses, addresses.inside(), KUBELET_PORT);
    command.addAll(
        backend.up(new Backend.Surroundings(network, addresses, true, Optional.of(kubernetes))));
    command.addAll(kubeletOptions);
    kubelet(network.inside(command), addresses.inside(), KUBELET_PORT);
  }

  /**
   * Starts everything but a control plane: the node joins the current cluster of a kubeconfig. The
   * kubelet is outside of the namespace, to reach the API server wherever this host reaches it.
   */
  void join(Path kubeconfig, List<String> kubeletOptions) {
    if (site.process("control-plane").running().isPresent()) {
      throw new QuickstartException(
          "node %s has a control plane of its own: --stop it first".formatted(site.name()));
    }
    begin();
    ExistingCluster cluster = existing();
    cluster.use(kubeconfig);
    Optional<VirtualPort> kubernetes = cluster.kubernetesService();
    Addresses addresses = Addresses.of(site.directory());
    List<HostPort> open =
        Stream.concat(
                kubernetes.map(VirtualPort::target).stream(), backend.ports(addresses).stream())
            .toList();
    HostNetwork network = new HostNetwork(site.name(), addresses, open);
    network.up();
    registry(network, addresses);
    site.say("getting the node's certificates from the cluster");
    String address = cluster.nodeAddress(addresses);
    cluster.join(site.name(), address);
    List<String> command =
        kubeletCommand(cluster.credentials(), addresses, address, JOINED_KUBELET_PORT);
    command.addAll(backend.up(new Backend.Surroundings(network, addresses, false, kubernetes)));
    command.addAll(kubeletOptions);
    kubelet(command, address, JOINED_KUBELET_PORT);
  }

  /** One backend at a time: the node's pods are on one of them. */
  private void begin() {
    site.makeDirectories();
    Path record = backendRecord();
    Optional<String> other = HostFiles.read(record).filter(name -> !name.equals(backend.name()));
    if (other.isPresent()) {
      throw new QuickstartException(
          "node %s runs on the backend %s: --stop it first".formatted(site.name(), other.get()));
    }
    PrivateFiles.write(record, backend.name());
  }

  private Path backendRecord() {
    return site.directory().resolve("run/backend");
  }

  private ExistingCluster existing() {
    return new ExistingCluster(site.program("kubectl"), site.directory());
  }

  void stop() {
    for (String process : List.of("kubelet", VcenterLab.PROCESS, "registry", "control-plane")) {
      site.process(process).stop();
    }
    // What is left in the namespace is the containerVMs; nobody else has been let in.
    SupervisedProcess.end(new NamedNamespace(site.name()).processes());
    // The namespace may have lost its name before its containerVMs.
    LocalBackend.endContainerVms(site);
    HostNetwork.down(site.name());
    HostFiles.delete(backendRecord());
    if (existing().joined()) {
      existing().leave(site.name());
    }
  }

  private void controlPlane(HostNetwork network, Addresses addresses) {
    SupervisedProcess process = site.process("control-plane");
    Path state = site.directory().resolve("control-plane");
    List<String> command =
        network.inside(
            List.of(
                site.program("control-plane"),
                "--directory",
                state.toString(),
                "--address",
                addresses.inside(),
                "--port",
                Integer.toString(API_PORT),
                "--service-cidr",
                addresses.services(),
                "--node",
                site.name() + "=" + addresses.inside(),
                "--unsafe-no-fsync"));
    if (!process.runs(command)) {
      site.say("starting the Kubernetes control plane");
      process.start(command, Duration.ofMinutes(2), () -> process.logged("ready"));
    }
    PrivateFiles.copy(state.resolve("admin.kubeconfig"), site.directory().resolve("kubeconfig"));
  }

  private void registry(HostNetwork network, Addresses addresses) {
    SupervisedProcess process = site.process("registry");
    List<String> command =
        network.inside(
            List.of(
                site.checkout().resolve("e2e/registry/serve").toString(),
                "--directory",
                site.directory().resolve("registry").toString(),
                "--address",
                addresses.inside(),
                "--port",
                Integer.toString(REGISTRY_PORT)));
    if (process.runs(command)) {
      return;
    }
    site.say("starting the registry");
    process.start(command, Duration.ofMinutes(2), () -> process.logged("ready"));
    Shell.require(
        site.checkout().resolve("e2e/images/push").toString(),
        "--images",
        site.checkout().resolve(".berth/images").toString(),
        "--registry",
        addresses.inside() + ":" + REGISTRY_PORT,
        "--plain-http");
  }

  private void kubelet(List<String> command, String address, int port) {
    SupervisedProcess process = site.process("kubelet");
    if (!process.runs(command)) {
      site.say("starting the Virtual Container Host");
      process.start(command, Duration.ofMinutes(2), nodeIsReady(address, port));
    }
    site.say("ready");
    tellWhatToType();
  }

  private List<String> kubeletCommand(
      NodeCredentials credentials, Addresses addresses, String address, int port) {
    String registry = addresses.inside() + ":" + REGISTRY_PORT;
    return new ArrayList<>(
        List.of(
            site.program("berth"),
            "kubelet",
            "--node-name",
            site.name(),
            "--kubeconfig",
            credentials.kubeconfig().toString(),
            "--tls-certificate",
            credentials.servingCertificate().toString(),
            "--tls-key",
            credentials.servingKey().toString(),
            "--client-authority",
            credentials.clientAuthority().toString(),
            "--address",
            address,
            "--port",
            Integer.toString(port),
            "--backend",
            backend.name(),
            "--registry-mirror",
            REGISTRY_NAME + "=" + registry,
            "--registry-plain-http",
            registry));
  }

  private BooleanSupplier nodeIsReady(String address, int port) {
    return () ->
        listens(address, port)
            && Shell.run(
                    site.program("kubectl"),
                    "--kubeconfig",
                    site.directory().resolve("kubeconfig").toString(),
                    "get",
                    "node",
                    site.name(),
                    "-o",
                    "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}")
                .output()
                .equals("True");
  }

  private static boolean listens(String address, int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(address, port), CONNECT_MILLIS);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void tellWhatToType() {
    site.out()
        .printf(
            """

        A Kubernetes node backed by a Virtual Container Host is running. Type next:

          export KUBECONFIG=%s PATH=%s:$PATH
          kubectl apply -f %s && kubectl get pod hello --watch
        %s
        ./quickstart --stop ends it.
        """,
            site.directory().resolve("kubeconfig"),
            site.checkout().resolve(".berth/bin"),
            site.checkout().resolve("examples/hello.yaml"),
            backend.hint());
    site.out().flush();
  }
}
