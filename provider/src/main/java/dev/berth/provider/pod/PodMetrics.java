package dev.berth.provider.pod;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.function.IntSupplier;

/** Numbers about pods under the kubelet's names, where it has them. */
final class PodMetrics {
  private final MeterRegistry registry;
  private final Timer start;
  private final Counter started;
  private final Counter writes;
  private final Counter failedWrites;

  PodMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.start =
        Timer.builder("kubelet_pod_start_duration")
            .description("From the first sight of a pod to its status Running")
            .publishPercentileHistogram(false)
            .register(registry);
    this.started =
        Counter.builder("kubelet_started_pods").description("Pods started").register(registry);
    this.writes =
        Counter.builder("berth_pod_status_writes")
            .description("Pod statuses written")
            .register(registry);
    this.failedWrites =
        Counter.builder("berth_pod_status_write_errors")
            .description("Pod statuses that could not be written")
            .register(registry);
  }

  void running(IntSupplier pods, IntSupplier containers) {
    Gauge.builder("kubelet_running_pods", pods, IntSupplier::getAsInt)
        .description("Pods on this node that are not over")
        .register(registry);
    Gauge.builder("kubelet_running_containers", containers, IntSupplier::getAsInt)
        .description("Containers whose process runs")
        .register(registry);
  }

  void started(Duration took) {
    start.record(took);
    started.increment();
  }

  void wrote(boolean success) {
    (success ? writes : failedWrites).increment();
  }

  void rejected(String reason) {
    Counter.builder("kubelet_admission_rejections")
        .description("Pods rejected at their arrival")
        .tag("reason", reason)
        .register(registry)
        .increment();
  }
}
