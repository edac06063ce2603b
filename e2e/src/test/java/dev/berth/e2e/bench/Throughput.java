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
  private static final long PATIENCE_SECONDS = 600;

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

  /** The program that is the node. It says when it is ready, and lives while its input does. */
  interface NodeProgram {
    /** Its command line. */
    List<String> line(Path kubeconfig, String node) throws IOException;
  }

  /**
   * @param directory removed first
   * @param image of the pods
   */
  Throughput(Path bin, Path directory, String image, NodeProgram program) throws IOException {
    // Pods that an earlier run left behind would be counted.
    remove(directory);
    Files.createDirectories(directory);
    this.state = directory.resolve("state");
    try {
      this.controlPlane = startControlPlane(bin, directory);
      Path kubeconfig = state.resolve("nodes").resolve(NODE).resolve("kubeconfig");
      this.node = start(directory, "node.log", program.line(kubeconfig, NODE));
      this.admin = Clients.of(state.resolve("admin.kubeconfig"));
      this.load = new PodLoad(state.resolve("admin.kubeconfig"), NAMESPACE, NODE, image);
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

  /** The command line of a class of this benchmark. */
  static List<String> java(List<String> options, Class<?> program, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(program.getName());
    command.addAll(arguments);
    return command;
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
    ApiRequests earlier = requests();
    double before = resident();
    Used running = create(pods);
    double after = resident();
    ApiRequests requests = requests().since(earlier);
    return new Round(running, delete(pods), before, after, requests);
  }

  /** Until all are Running. */
  Used create(int pods) throws IOException, InterruptedException {
    try (PodLoad.Seen seen = load.running()) {
      Cpu cpu = cpu();
      long begun = System.nanoTime();
      load.create(pods);
      await(seen, pods, "Running");
      return cpu.until(cpu(), Machine.millisSince(begun) / 1000);
    }
  }

  /** Until all are gone. */
  Used delete(int pods) throws IOException, InterruptedException {
    try (PodLoad.Seen seen = load.gone()) {
      Cpu cpu = cpu();
      long begun = System.nanoTime();
      var _ = admin.pods().inNamespace(NAMESPACE).withTimeout(0, TimeUnit.SECONDS).delete();
      await(seen, pods, "gone");
      return cpu.until(cpu(), Machine.millisSince(begun) / 1000);
    }
  }

  /** What the API server has answered so far. */
  ApiRequests requests() {
    return ApiRequests.now(admin);
  }

  /** The node's resident memory, MiB. */
  double resident() {
    return Machine.resident(node.pid());
  }

  /** The node's heap in use after a collection, MiB, when its program answers with that. */
  double heap() throws IOException {
    node.getOutputStream().write('\n');
    node.getOutputStream().flush();
    return Double.parseDouble(node.inputReader(StandardCharsets.UTF_8).readLine());
  }

  private static void await(PodLoad.Seen seen, int pods, String what) throws InterruptedException {
    if (!seen.await(pods, TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS))) {
      throw new IllegalStateException(
          "only %d pods were %s after %d s".formatted(seen.count(), what, PATIENCE_SECONDS));
    }
  }

  private Cpu cpu() {
    return new Cpu(
        Machine.processor(node.toHandle()),
        Machine.processor(controlPlane.toHandle()),
        Machine.processor(ProcessHandle.current()));
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
