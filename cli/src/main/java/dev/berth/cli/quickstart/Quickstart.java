package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.LocalPortLayer;
import dev.berth.portlayer.local.network.HostPort;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

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

  private final String name;
  private final Path checkout;
  private final Path directory;
  private final Path boot;
  private final PrintWriter out;
  private final long began = System.nanoTime();

  Quickstart(String name, Path checkout, Path directory, Path boot, PrintWriter out) {
    this.name = name;
    this.checkout = checkout.toAbsolutePath().normalize();
    this.directory = directory.toAbsolutePath().normalize();
    this.boot = boot.toAbsolutePath().normalize();
    this.out = out;
  }

  /** Starts everything, a Kubernetes control plane included. */
  void start(List<String> kubeletOptions) {
    if (existing().joined()) {
      throw new QuickstartException(
          "node %s is in a cluster of yours: name its --kubeconfig again, or --stop first"
              .formatted(name));
    }
    makeDirectories();
    Addresses addresses = Addresses.of(directory);
    HostNetwork network = new HostNetwork(name, addresses);
    network.up();
    controlPlane(network, addresses);
    registry(network, addresses);
    HostPort server = new HostPort(addresses.inside(), API_PORT);
    NodeCredentials credentials =
        new NodeCredentials(directory.resolve("control-plane/nodes").resolve(name));
    List<String> command = kubeletCommand(credentials, addresses, addresses.inside(), KUBELET_PORT);
    command.addAll(
        List.of("--allow-host-port", "%s:%d".formatted(server.address(), server.port())));
    command.addAll(kubernetesService(addresses.kubernetesService() + ":443", server));
    command.addAll(kubeletOptions);
    kubelet(network.inside(command), addresses.inside(), KUBELET_PORT);
  }

  /**
   * Starts everything but a control plane: the node joins the current cluster of a kubeconfig. The
   * kubelet is outside of the namespace, to reach the API server wherever this host reaches it.
   */
  void join(Path kubeconfig, List<String> kubeletOptions) {
    if (new SupervisedProcess("control-plane", directory).running().isPresent()) {
      throw new QuickstartException(
          "node %s has a control plane of its own: --stop it first".formatted(name));
    }
    makeDirectories();
    ExistingCluster cluster = existing();
    cluster.use(kubeconfig);
    Optional<ExistingCluster.Service> service = cluster.kubernetesService();
    Addresses addresses = Addresses.of(directory);
    HostNetwork network =
        new HostNetwork(
            name, addresses, service.map(ExistingCluster.Service::endpoint).stream().toList());
    network.up();
    registry(network, addresses);
    say("getting the node's certificates from the cluster");
    String address = cluster.nodeAddress(addresses);
    cluster.join(name, address);
    List<String> command =
        kubeletCommand(cluster.credentials(), addresses, address, JOINED_KUBELET_PORT);
    command.addAll(List.of("--network-namespace", name));
    service.ifPresent(
        known -> command.addAll(kubernetesService(known.clusterAddress(), known.endpoint())));
    command.addAll(kubeletOptions);
    kubelet(command, address, JOINED_KUBELET_PORT);
  }

  private ExistingCluster existing() {
    return new ExistingCluster(program("kubectl"), directory);
  }

  void stop() {
    for (String process : List.of("kubelet", "registry", "control-plane")) {
      new SupervisedProcess(process, directory).stop();
    }
    // What is left in the namespace is the containerVMs; nobody else has been let in.
    SupervisedProcess.end(new NamedNamespace(name).processes());
    // The namespace may have lost its name before its containerVMs.
    LocalPortLayer.endContainerVms(name, directory.resolve("vch"), HostFiles.RUN.resolve(name));
    HostNetwork.down(name);
    if (existing().joined()) {
      existing().leave(name);
    }
  }

  private void controlPlane(HostNetwork network, Addresses addresses) {
    SupervisedProcess process = new SupervisedProcess("control-plane", directory);
    Path state = directory.resolve("control-plane");
    List<String> command =
        network.inside(
            List.of(
                program("control-plane"),
                "--directory",
                state.toString(),
                "--address",
                addresses.inside(),
                "--port",
                Integer.toString(API_PORT),
                "--service-cidr",
                addresses.services(),
                "--node",
                name + "=" + addresses.inside(),
                "--unsafe-no-fsync"));
    if (!process.runs(command)) {
      say("starting the Kubernetes control plane");
      process.start(command, Duration.ofMinutes(2), () -> process.logged("ready"));
    }
    PrivateFiles.copy(state.resolve("admin.kubeconfig"), directory.resolve("kubeconfig"));
  }

  private void registry(HostNetwork network, Addresses addresses) {
    SupervisedProcess process = new SupervisedProcess("registry", directory);
    List<String> command =
        network.inside(
            List.of(
                checkout.resolve("e2e/registry/serve").toString(),
                "--directory",
                directory.resolve("registry").toString(),
                "--address",
                addresses.inside(),
                "--port",
                Integer.toString(REGISTRY_PORT)));
    if (process.runs(command)) {
      return;
    }
    say("starting the registry");
    process.start(command, Duration.ofMinutes(2), () -> process.logged("ready"));
    Shell.require(
        checkout.resolve("e2e/images/push").toString(),
        "--images",
        checkout.resolve(".berth/images").toString(),
        "--registry",
        addresses.inside() + ":" + REGISTRY_PORT,
        "--plain-http");
  }

  private void kubelet(List<String> command, String address, int port) {
    SupervisedProcess process = new SupervisedProcess("kubelet", directory);
    if (!process.runs(command)) {
      say("starting the Virtual Container Host");
      process.start(command, Duration.ofMinutes(2), nodeIsReady(address, port));
    }
    say("ready");
    tellWhatToType();
  }

  private List<String> kubeletCommand(
      NodeCredentials credentials, Addresses addresses, String address, int port) {
    String registry = addresses.inside() + ":" + REGISTRY_PORT;
    return new ArrayList<>(
        List.of(
            program("berth"),
            "kubelet",
            "--node-name",
            name,
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
            "local",
            "--directory",
            directory.resolve("vch").toString(),
            "--boot",
            boot.toString(),
            "--network",
            "pods=" + addresses.pods(),
            "--registry-mirror",
            REGISTRY_NAME + "=" + registry,
            "--registry-plain-http",
            registry));
  }

  private static List<String> kubernetesService(String clusterAddress, HostPort server) {
    return List.of(
        "--kubernetes-service",
        "%s=%s:%d".formatted(clusterAddress, server.address(), server.port()));
  }

  private BooleanSupplier nodeIsReady(String address, int port) {
    return () ->
        listens(address, port)
            && Shell.run(
                    program("kubectl"),
                    "--kubeconfig",
                    directory.resolve("kubeconfig").toString(),
                    "get",
                    "node",
                    name,
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

  private String program(String program) {
    return checkout.resolve(".berth/bin").resolve(program).toString();
  }

  private void makeDirectories() {
    try {
      Files.createDirectories(directory.resolve("run"));
      Files.createDirectories(directory.resolve("logs"));
    } catch (IOException e) {
      throw new QuickstartException("cannot make " + directory + ": " + e.getMessage(), e);
    }
  }

  private void say(String what) {
    out.printf("[%4ds] %s%n", (System.nanoTime() - began) / 1_000_000_000L, what);
    out.flush();
  }

  private void tellWhatToType() {
    out.printf(
        """

        A Kubernetes node backed by a Virtual Container Host is running. Type next:

          export KUBECONFIG=%s PATH=%s:$PATH
          kubectl apply -f %s && kubectl get pod hello --watch

        ./quickstart --stop ends it.
        """,
        directory.resolve("kubeconfig"),
        checkout.resolve(".berth/bin"),
        checkout.resolve("examples/hello.yaml"));
    out.flush();
  }
}
