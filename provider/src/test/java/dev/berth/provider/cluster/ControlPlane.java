package dev.berth.provider.cluster;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * A real API server for tests: the e2e control plane's program, found by {@code
 * -Dberth.controlPlane} or {@code BERTH_CONTROL_PLANE}; or one that runs already, whose folder
 * {@code BERTH_CONTROL_PLANE_STATE} names.
 */
final class ControlPlane implements AutoCloseable {
  static final String NODE = "berth-test";
  private static final Duration START = Duration.ofMinutes(2);

  private final Path state;
  private final Optional<Process> process;

  private ControlPlane(Path state, Optional<Process> process) {
    this.state = state;
    this.process = process;
  }

  /** Empty when the program is not there. */
  static Optional<ControlPlane> start(Path folder) throws Exception {
    String running = System.getenv("BERTH_CONTROL_PLANE_STATE");
    if (running != null) {
      return Optional.of(new ControlPlane(Path.of(running), Optional.empty()));
    }
    String program = System.getProperty("berth.controlPlane", System.getenv("BERTH_CONTROL_PLANE"));
    if (program == null || !Files.isExecutable(Path.of(program))) {
      return Optional.empty();
    }
    Path state = folder.resolve("state");
    Process process =
        new ProcessBuilder(
                List.of(
                    program,
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
    return Optional.of(new ControlPlane(state, Optional.of(process)));
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
    Config config = Config.fromKubeconfig(kubeconfig.toFile());
    return new KubernetesClientBuilder()
        .withConfig(
            new ConfigBuilder(config)
                .withRequestTimeout(120_000)
                .withMaxConcurrentRequests(1000)
                .withMaxConcurrentRequestsPerHost(1000)
                .build())
        .build();
  }

  @Override
  public void close() throws InterruptedException {
    if (process.isPresent()) {
      process.get().destroy();
      if (!process.get().waitFor(30, TimeUnit.SECONDS)) {
        process.get().destroyForcibly();
      }
    }
  }
}
