package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.events.EventRecorder;
import dev.berth.provider.kube.ObjectReader;
import dev.berth.provider.kube.PodWriter;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.lifecycle.PodMemory.Rejection;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What every pod's worker works with.
 *
 * @param ended is told when a worker has nothing left to do
 */
record PodContext(
    PortLayer portLayer,
    ProviderConfiguration configuration,
    EventRecorder events,
    PodWriter writer,
    ObjectReader objects,
    ActionExecutor executor,
    Admission admission,
    PodMetrics metrics,
    Consumer<PodWorker> ended) {
  private static final Logger LOG = LoggerFactory.getLogger(PodContext.class);

  ProviderConfiguration.Timing timing() {
    return configuration.timing();
  }

  List<String> hostAddresses() {
    return configuration.node().internalAddresses();
  }

  void rejected(Pod pod, Rejection why) {
    metrics.rejected(why.reason());
    events.tell(pod, PodEvent.warning(why.reason(), why.message()));
  }

  void finished(PodWorker worker) {
    String uid = worker.pod().getMetadata().getUid();
    admission.release(uid);
    objects.forget(uid);
    ended.accept(worker);
  }

  /** Ends a stop under way earlier, without waiting for it. */
  void shorten(Pod pod, Duration grace) {
    Thread.ofVirtual()
        .name("pod-" + pod.getMetadata().getUid() + "-shorten")
        .start(
            () -> {
              try {
                executor.stop(pod, grace);
              } catch (PortLayerException failure) {
                LOG.debug("Shortening a stop: {}", failure.getMessage());
              }
            });
  }
}
