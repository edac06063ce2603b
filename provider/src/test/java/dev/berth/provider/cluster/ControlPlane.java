package dev.berth.provider.cluster;

import dev.berth.provider.kube.NodeClients;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A real API server for tests, on loopback: the program that e2e/control-plane/build makes in
 * {@code bin} of the folder named by {@code -Dberth.work}, which is {@code .berth} by default.
 */
final class ControlPlane implements AutoCloseable {
  static final String NODE = "berth-test";
  private static final Duration START = Duration.ofMinutes(2);

  private final Path state;
  private final Process process;

  private ControlPlane(Path state, Process process) {
    this.state = state;
    this.process = process;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param folder where its state and log go
   */
  static ControlPlane start(Path folder) throws Exception {
    Path program = Path.of(System.getProperty("berth.work", "../.berth"), "bin/control-plane");
    if (!Files.isExecutable(program)) {
      throw new IllegalStateException(
          program.toAbsolutePath().normalize()
              + " is missing: run e2e/control-plane/build --output .berth/bin");
    }
    Path state = folder.resolve("state");
    Process process =
        new ProcessBuilder(
                List.of(
                    program.toString(),
                    "--directory",
                    state.toString(),
                    "--address",
                    "127.0.0.1",
                    "--port",
                    Integer.toString(freePort()),
                    "--node",
                    NODE + "=127.0.0.1",
                    "--unsafe-no-fsync"))
            .redirectError(folder.resolve("control-plane.log").toFile())
            .start();
    awaitReady(process);
    return new ControlPlane(state, process);
  }

  private static void awaitReady(Process process) throws Exception {
    BufferedReader output =
        new BufferedReader(
            new java.io.InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    CompletableFuture<String> line =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return String.valueOf(output.readLine());
              } catch (IOException broken) {
                return broken.toString();
              }
            });
    String said = line.get(START.toSeconds(), TimeUnit.SECONDS);
    if (!said.startsWith("ready")) {
      process.destroy();
      throw new IllegalStateException("the control plane did not start: " + said);
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  KubernetesClient admin() throws IOException {
    return client(state.resolve("admin.kubeconfig"));
  }

  KubernetesClient node() throws IOException {
    return client(state.resolve("nodes/" + NODE + "/kubeconfig"));
  }

  private static KubernetesClient client(Path kubeconfig) throws IOException {
    return NodeClients.of(
        new ConfigBuilder(Config.fromKubeconfig(kubeconfig.toFile()))
            .withRequestTimeout(120_000)
            .build());
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }
}
