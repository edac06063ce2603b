package dev.berth.e2e.bench;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * How fast pods become Running and go away when VMs cost nothing. The control plane, the node and
 * the creator are three processes, as with the providers it is compared with.
 */
final class Throughput implements AutoCloseable {
  private static final String NODE = "berth-bench";
  private static final String NAMESPACE = "default";
  private static final int CREATORS = 32;
  private static final int PORT = 16443;
  private static final Duration START = Duration.ofMinutes(2);
  private static final long PATIENCE_SECONDS = 180;

  private final Path state;
  private final Process controlPlane;
  private final Process node;

  /** The outcome of one round; seconds and MiB. */
  record Round(double running, double gone, double cpu, double before, double after) {}

  /**
   * @param options of the node's Java, the same as the berth command's
   */
  Throughput(Path bin, Path directory, List<String> options) throws IOException {
    Files.createDirectories(directory);
    this.state = directory.resolve("state");
    this.controlPlane =
        new ProcessBuilder(
                bin.resolve("control-plane").toString(),
                "--directory",
                state.toString(),
                "--address",
                "127.0.0.1",
                "--port",
                Integer.toString(PORT),
                "--node",
                NODE + "=127.0.0.1",
                "--unsafe-no-fsync")
            .redirectError(directory.resolve("control-plane.log").toFile())
            .start();
    awaitReady(controlPlane, directory);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(MemoryNode.class.getName());
    command.add(state.resolve("nodes").resolve(NODE).resolve("kubeconfig").toString());
    command.add(NODE);
    this.node =
        new ProcessBuilder(command).redirectError(directory.resolve("node.log").toFile()).start();
    awaitReady(node, directory);
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

  Round measure(int pods) throws InterruptedException {
    Set<String> running = ConcurrentHashMap.newKeySet();
    Semaphore ran = new Semaphore(0);
    Semaphore gone = new Semaphore(0);
    try (KubernetesClient admin = Clients.of(state.resolve("admin.kubeconfig"));
        SharedIndexInformer<Pod> informer =
            admin.pods().inNamespace(NAMESPACE).inform(new Watcher(running, ran, gone))) {
      double before = Machine.resident(node.pid());
      double cpu = cpuSeconds();
      long begun = System.nanoTime();
      createAll(admin, pods);
      require(ran.tryAcquire(pods, PATIENCE_SECONDS, TimeUnit.SECONDS), running.size(), "Running");
      double took = Machine.millisSince(begun) / 1000;
      double used = cpuSeconds() - cpu;
      double after = Machine.resident(node.pid());
      begun = System.nanoTime();
      var _ = admin.pods().inNamespace(NAMESPACE).withTimeout(0, TimeUnit.SECONDS).delete();
      require(
          gone.tryAcquire(pods, PATIENCE_SECONDS, TimeUnit.SECONDS),
          gone.availablePermits(),
          "gone");
      return new Round(took, Machine.millisSince(begun) / 1000, used, before, after);
    }
  }

  private static void require(boolean all, int count, String what) {
    if (!all) {
      throw new IllegalStateException(
          "only %d pods were %s after %d s".formatted(count, what, PATIENCE_SECONDS));
    }
  }

  private double cpuSeconds() {
    return node.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
  }

  private record Watcher(Set<String> running, Semaphore ran, Semaphore gone)
      implements ResourceEventHandler<Pod> {
    @Override
    public void onAdd(Pod pod) {
      onUpdate(pod, pod);
    }

    @Override
    public void onUpdate(Pod before, Pod after) {
      if ("Running".equals(after.getStatus().getPhase())
          && running.add(after.getMetadata().getName())) {
        ran.release();
      }
    }

    @Override
    public void onDelete(Pod pod, boolean stateUnknown) {
      gone.release();
    }
  }

  private static void createAll(KubernetesClient admin, int pods) throws InterruptedException {
    Semaphore turns = new Semaphore(CREATORS);
    try (ExecutorService creators = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int index = 0; index < pods; index++) {
        Pod pod = pod("bench-" + index);
        turns.acquire();
        creators.execute(
            () -> {
              try {
                admin.resource(pod).create();
              } finally {
                turns.release();
              }
            });
      }
    }
  }

  private static Pod pod(String name) {
    return new PodBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(NAMESPACE)
        .endMetadata()
        .withNewSpec()
        .withNodeName(NODE)
        .withAutomountServiceAccountToken(false)
        .withTerminationGracePeriodSeconds(1L)
        .addNewContainer()
        .withName("main")
        .withImage(MemoryNode.IMAGE)
        .withImagePullPolicy("IfNotPresent")
        .endContainer()
        .endSpec()
        .build();
  }

  @Override
  public void close() {
    end(node);
    end(controlPlane);
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
