package dev.berth.provider.api;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.Statistics;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What the node's containers use, as metrics-server and {@code kubectl top} read it. */
final class ResourceStatistics {
  private static final int AT_ONCE = 32;
  private static final long PATIENCE_SECONDS = 10;

  private record Sample(Pod pod, String container, Statistics statistics) {}

  private final String nodeName;
  private final PodDirectory directory;
  private final InteractionService interaction;

  ResourceStatistics(String nodeName, PodDirectory directory, InteractionService interaction) {
    this.nodeName = nodeName;
    this.directory = directory;
    this.interaction = interaction;
  }

  /** The text of {@code /metrics/resource}. */
  String prometheus() {
    List<Sample> samples = samples();
    var text = new StringBuilder(1024);
    text.append("# TYPE container_cpu_usage_seconds_total counter\n");
    for (Sample sample : samples) {
      append(text, "container_cpu_usage_seconds_total", sample, cpuSeconds(sample));
    }
    text.append("# TYPE container_memory_working_set_bytes gauge\n");
    for (Sample sample : samples) {
      append(
          text,
          "container_memory_working_set_bytes",
          sample,
          Long.toString(sample.statistics.memoryWorkingSet()));
    }
    text.append("# TYPE node_memory_working_set_bytes gauge\nnode_memory_working_set_bytes ")
        .append(samples.stream().mapToLong(s -> s.statistics.memoryWorkingSet()).sum())
        .append("\n# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n");
    return text.toString();
  }

  private static String cpuSeconds(Sample sample) {
    return Double.toString(sample.statistics.cpuNanoseconds() / 1e9);
  }

  private static void append(StringBuilder text, String name, Sample sample, String value) {
    text.append(name)
        .append("{container=\"")
        .append(sample.container)
        .append("\",namespace=\"")
        .append(sample.pod.getMetadata().getNamespace())
        .append("\",pod=\"")
        .append(sample.pod.getMetadata().getName())
        .append("\"} ")
        .append(value)
        .append(' ')
        .append(sample.statistics.time().toEpochMilli())
        .append('\n');
  }

  /** The object of {@code /stats/summary}: CPU, memory and root file system of each container. */
  Map<String, Object> summary() {
    Map<String, List<Sample>> byPod = new LinkedHashMap<>();
    for (Sample sample : samples()) {
      byPod
          .computeIfAbsent(sample.pod.getMetadata().getUid(), uid -> new ArrayList<>())
          .add(sample);
    }
    return Map.of(
        "node",
        Map.of("nodeName", nodeName),
        "pods",
        byPod.values().stream().map(ResourceStatistics::podSummary).toList());
  }

  private static Map<String, Object> podSummary(List<Sample> samples) {
    Pod pod = samples.getFirst().pod;
    return Map.of(
        "podRef",
        Map.of(
            "name",
            pod.getMetadata().getName(),
            "namespace",
            pod.getMetadata().getNamespace(),
            "uid",
            String.valueOf(pod.getMetadata().getUid())),
        "containers",
        samples.stream().map(ResourceStatistics::containerSummary).toList());
  }

  private static Map<String, Object> containerSummary(Sample sample) {
    Statistics used = sample.statistics;
    String time = used.time().toString();
    return Map.of(
        "name",
        sample.container,
        "cpu",
        Map.of("time", time, "usageCoreNanoSeconds", used.cpuNanoseconds()),
        "memory",
        Map.of(
            "time",
            time,
            "usageBytes",
            used.memoryUsage(),
            "workingSetBytes",
            used.memoryWorkingSet()),
        "rootfs",
        Map.of(
            "time",
            time,
            "usedBytes",
            used.scratchUsed(),
            "capacityBytes",
            used.scratchCapacity()));
  }

  /** Of the containers that answer; one that does not is left out. */
  private List<Sample> samples() {
    var places = new Semaphore(AT_ONCE);
    var pending = new ArrayList<Future<Optional<Sample>>>();
    var result = new ArrayList<Sample>();
    var executor = Executors.newVirtualThreadPerTaskExecutor();
    try {
      for (Pod pod : directory.pods()) {
        for (String container : runningContainers(pod)) {
          pending.add(executor.submit(limited(places, pod, container)));
        }
      }
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      for (Future<Optional<Sample>> sample : pending) {
        await(sample, deadline).ifPresent(result::add);
      }
      return result;
    } finally {
      executor.shutdownNow();
    }
  }

  private static Optional<Sample> await(Future<Optional<Sample>> sample, long deadline) {
    try {
      return sample.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    } catch (ExecutionException | TimeoutException e) {
      return Optional.empty();
    }
  }

  private Callable<Optional<Sample>> limited(Semaphore places, Pod pod, String container) {
    return () -> {
      places.acquire();
      try {
        return sample(pod, container);
      } finally {
        places.release();
      }
    };
  }

  private Optional<Sample> sample(Pod pod, String container) {
    try {
      String id =
          directory
              .container(
                  pod.getMetadata().getNamespace(),
                  pod.getMetadata().getName(),
                  Optional.empty(),
                  container)
              .containerVmId();
      return Optional.of(new Sample(pod, container, interaction.statistics(id)));
    } catch (PortLayerException | PodLookupException e) {
      return Optional.empty();
    }
  }

  private static List<String> runningContainers(Pod pod) {
    if (pod.getStatus() == null) {
      return List.of();
    }
    return pod.getStatus().getContainerStatuses().stream()
        .filter(status -> status.getState() != null && status.getState().getRunning() != null)
        .map(ContainerStatus::getName)
        .toList();
  }
}
