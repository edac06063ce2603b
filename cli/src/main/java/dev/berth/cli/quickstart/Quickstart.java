package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.LocalPortLayer;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * One installation in one directory. Starting again goes on with what runs; stopping ends whatever
 * there is of it.
 */
final class Quickstart {
  static final String REGISTRY_NAME = "quickstart.berth.dev";

  private static final int API_PORT = 6443;
  private static final int REGISTRY_PORT = 5000;
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

  void start(List<String> kubeletOptions) {
    makeDirectories();
    Addresses addresses = Addresses.of(directory);
    HostNetwork network = new HostNetwork(name, addresses);
    network.up();
    controlPlane(network, addresses);
    registry(network, addresses);
    kubelet(network, addresses, kubeletOptions);
    say("ready");
    tellWhatToType();
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
    copyPrivately(state.resolve("admin.kubeconfig"), directory.resolve("kubeconfig"));
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

  private void kubelet(HostNetwork network, Addresses addresses, List<String> options) {
    SupervisedProcess process = new SupervisedProcess("kubelet", directory);
    List<String> command = network.inside(kubeletCommand(addresses, options));
    if (process.runs(command)) {
      return;
    }
    say("starting the Virtual Container Host");
    process.start(command, Duration.ofMinutes(2), nodeIsReady(addresses));
  }

  private List<String> kubeletCommand(Addresses addresses, List<String> options) {
    Path node = directory.resolve("control-plane/nodes").resolve(name);
    String registry = addresses.inside() + ":" + REGISTRY_PORT;
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                program("berth"),
                "kubelet",
                "--node-name",
                name,
                "--kubeconfig",
                node.resolve("kubeconfig").toString(),
                "--tls-certificate",
                node.resolve("serving.crt").toString(),
                "--tls-key",
                node.resolve("serving.key").toString(),
                "--client-authority",
                node.resolve("ca.crt").toString(),
                "--address",
                addresses.inside(),
                "--backend",
                "local",
                "--directory",
                directory.resolve("vch").toString(),
                "--boot",
                boot.toString(),
                "--network",
                "pods=" + addresses.pods(),
                "--allow-host-port",
                addresses.inside() + ":" + API_PORT,
                "--kubernetes-service",
                "%s:443=%s:%d"
                    .formatted(addresses.kubernetesService(), addresses.inside(), API_PORT),
                "--registry-mirror",
                REGISTRY_NAME + "=" + registry,
                "--registry-plain-http",
                registry));
    command.addAll(options);
    return command;
  }

  private BooleanSupplier nodeIsReady(Addresses addresses) {
    return () ->
        listens(addresses.inside(), 10250)
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

  private static void copyPrivately(Path from, Path to) {
    try {
      Path partial = to.resolveSibling(to.getFileName() + ".new");
      Files.deleteIfExists(partial);
      Files.createFile(
          partial,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.write(partial, Files.readAllBytes(from));
      Files.move(partial, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new QuickstartException("cannot copy " + from + ": " + e.getMessage(), e);
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
