package dev.berth.provider.cluster;

import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.memory.InMemoryPortLayer;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Measures how fast pods become Running and go away with the in-memory port layer on a real API
 * server. Run in one process with the creator: {@code ThroughputMain PODS}.
 */
public final class ThroughputMain {
  private static final String NAMESPACE = "default";
  private static final int CREATORS = 32;

  private ThroughputMain() {}

  public static void main(String[] arguments) throws Exception {
    int pods = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 500;
    try (ControlPlane controlPlane = ControlPlane.start(Files.createTempDirectory("throughput"));
        KubernetesClient admin = controlPlane.admin();
        KubernetesClient node = controlPlane.node();
        InMemoryPortLayer portLayer = new InMemoryPortLayer()) {
      portLayer.changeCapacity(new Capacity(64_000, 8L << 40, 5_000, 0));
      portLayer.addImage(
          "server:1",
          new ImageConfiguration(
              List.of("server"),
              List.of(),
              List.of(),
              "",
              "",
              Optional.empty(),
              List.of(),
              Map.of()));
      ProviderConfiguration defaults =
          ProviderConfiguration.defaults(ControlPlane.NODE, "127.0.0.1");
      ProviderConfiguration configuration =
          new ProviderConfiguration(
              defaults.node(),
              new ProviderConfiguration.Limits(
                  OptionalLong.empty(), OptionalLong.empty(), OptionalInt.empty()),
              defaults.cluster(),
              defaults.containers(),
              defaults.images(),
              defaults.timing());
      try (Provider provider =
          new Provider(configuration, node, portLayer, new SimpleMeterRegistry())) {
        provider.start();
        measure(admin, pods);
      }
    }
  }

  private static void measure(KubernetesClient admin, int pods) throws Exception {
    Set<String> running = ConcurrentHashMap.newKeySet();
    Semaphore ran = new Semaphore(0);
    Semaphore gone = new Semaphore(0);
    try (SharedIndexInformer<Pod> informer =
        admin
            .pods()
            .inNamespace(NAMESPACE)
            .withLabel("bench", "yes")
            .inform(new Watcher(running, ran, gone))) {
      double before = processSeconds();
      long begin = System.nanoTime();
      createAll(admin, pods);
      double created = (System.nanoTime() - begin) / 1e9;
      boolean all = ran.tryAcquire(pods, 300, TimeUnit.SECONDS);
      double took = (System.nanoTime() - begin) / 1e9;
      System.out.printf(
          "create %d pods: %s after %.2f s (created after %.2f s): %.0f pods/s, CPU %.1f s, RSS %s%n",
          pods,
          all ? "all Running" : running.size() + " Running",
          took,
          created,
          running.size() / took,
          processSeconds() - before,
          resident());
      before = processSeconds();
      begin = System.nanoTime();
      admin
          .pods()
          .inNamespace(NAMESPACE)
          .withLabel("bench", "yes")
          .withTimeout(0, TimeUnit.SECONDS)
          .delete();
      boolean cleared = gone.tryAcquire(pods, 300, TimeUnit.SECONDS);
      System.out.printf(
          "delete %d pods: %s after %.2f s, CPU %.1f s%n",
          pods,
          cleared ? "all gone" : "not all gone",
          (System.nanoTime() - begin) / 1e9,
          processSeconds() - before);
      System.out.println("informer still watching: " + informer.isWatching());
    }
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

  private static void createAll(KubernetesClient admin, int pods) throws Exception {
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
        .addToLabels("bench", "yes")
        .endMetadata()
        .withNewSpec()
        .withNodeName(ControlPlane.NODE)
        .withAutomountServiceAccountToken(Boolean.getBoolean("bench.token"))
        .withTerminationGracePeriodSeconds(1L)
        .addNewContainer()
        .withName("main")
        .withImage("server:1")
        .withImagePullPolicy("IfNotPresent")
        .endContainer()
        .endSpec()
        .build();
  }

  private static double processSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
  }

  private static String resident() throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS"))
        .findFirst()
        .orElse("unknown");
  }
}
