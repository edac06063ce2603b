package dev.berth.e2e.bench;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * How fast pods become Running and go away when VMs cost nothing. The control plane, the node and
 * the creator are three processes, as with the providers it is compared with.
 */
final class Throughput implements AutoCloseable {
  private static final String NODE = "berth-bench";
  private static final String NAMESPACE = "default";
  private static final int PORT = 16443;
  private static final Duration START = Duration.ofMinutes(2);
  private static final long PATIENCE_SECONDS = 180;

  private final Path state;
  private final List<Process> started = new ArrayList<>();
  private final Process controlPlane;
  private final Process node;
  private final KubernetesClient admin;
  private final PodLoad load;

  /** Seconds of processor time that the three processes have used. */
  private record Cpu(double provider, double controlPlane, double creator) {
    Used until(Cpu later, double seconds) {
      return new Used(
          seconds,
          later.provider - provider,
          later.controlPlane - controlPlane,
          later.creator - creator);
    }
  }

  /** What one part of a round took: seconds, and seconds of each process's processor time. */
  record Used(double seconds, double provider, double controlPlane, double creator) {}

  /**
   * The outcome of one round.
   *
   * @param before the provider's resident memory, MiB
   * @param after the same when all were Running
   * @param requests what the API server answered until then
   */
  record Round(Used running, Used gone, double before, double after, ApiRequests requests) {}

  /**
   * @param options of the node's Java, the same as the berth command's
   */
  Throughput(Path bin, Path directory, List<String> options) throws IOException {
    // Pods that an earlier run left behind would be counted.
    remove(directory);
    Files.createDirectories(directory);
    this.state = directory.resolve("state");
    try {
      this.controlPlane = startControlPlane(bin, directory);
      this.node = startNode(directory, options);
      this.admin = Clients.of(state.resolve("admin.kubeconfig"));
      this.load = new PodLoad(state.resolve("admin.kubeconfig"), NAMESPACE, NODE);
    } catch (IOException | RuntimeException failed) {
      started.reversed().forEach(Throughput::end);
      throw failed;
    }
  }

  private Process startControlPlane(Path bin, Path directory) throws IOException {
    return start(
        directory,
        "control-plane.log",
        List.of(
            bin.resolve("control-plane").toString(),
            "--directory",
            state.toString(),
            "--address",
            "127.0.0.1",
            "--port",
            Integer.toString(PORT),
            "--node",
            NODE + "=127.0.0.1",
            "--unsafe-no-fsync"));
  }

  private Process startNode(Path directory, List<String> options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(MemoryNode.class.getName());
    command.add(state.resolve("nodes").resolve(NODE).resolve("kubeconfig").toString());
    command.add(NODE);
    return start(directory, "node.log", command);
  }

  private Process start(Path directory, String log, List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(directory.resolve(log).toFile()).start();
    started.add(process);
    awaitReady(process, directory);
    return process;
  }

  private static void remove(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static void awaitReady(Process process, Path directory) throws IOException {
    BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
    Machine.await(
        "start of " + process.info().command().orElse("?"), START, () -> spoke(process, output));
    String said = output.readLine();
    if (said == null || !said.startsWith("ready")) {
      throw new IllegalStateException("it did not start; see the logs in " + directory);
    }
  }

  private static boolean spoke(Process process, BufferedReader output) {
    try {
      return output.ready() || !process.isAlive();
    } catch (IOException e) {
      return true;
    }
  }

  Round measure(int pods) throws IOException, InterruptedException {
    ApiRequests earlier = ApiRequests.now(admin);
    double before = Machine.resident(node.pid());
    Used running;
    try (PodLoad.Seen seen = load.running()) {
      Cpu cpu = cpu();
      long begun = System.nanoTime();
      load.create(pods);
      await(seen, pods, "Running");
      running = cpu.until(cpu(), Machine.millisSince(begun) / 1000);
    }
    double after = Machine.resident(node.pid());
    ApiRequests requests = ApiRequests.now(admin).since(earlier);
    try (PodLoad.Seen seen = load.gone()) {
      Cpu cpu = cpu();
      long begun = System.nanoTime();
      var _ = admin.pods().inNamespace(NAMESPACE).withTimeout(0, TimeUnit.SECONDS).delete();
      await(seen, pods, "gone");
      Used gone = cpu.until(cpu(), Machine.millisSince(begun) / 1000);
      return new Round(running, gone, before, after, requests);
    }
  }

  private static void await(PodLoad.Seen seen, int pods, String what) throws InterruptedException {
    if (!seen.await(pods, TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS))) {
      throw new IllegalStateException(
          "only %d pods were %s after %d s".formatted(seen.count(), what, PATIENCE_SECONDS));
    }
  }

  private Cpu cpu() {
    return new Cpu(
        seconds(node.toHandle()),
        seconds(controlPlane.toHandle()),
        seconds(ProcessHandle.current()));
  }

  private static double seconds(ProcessHandle process) {
    return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
  }

  @Override
  public void close() {
    admin.close();
    started.reversed().forEach(Throughput::end);
  }

  private static void end(Process process) {
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
