package dev.berth.provider.pod;

import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.PodWriter;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One pod's status at the API server: what it is, and making it what it should be. */
final class StatusKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(StatusKeeper.class);

  private final PodContext context;
  private final long firstSeen = System.nanoTime();
  private volatile @Nullable Written written;
  private volatile @Nullable PodStatus wanted;
  private boolean startTold;

  /** What was written, and the version of the pod that holds it. */
  private record Written(PodStatus status, long version) {}

  StatusKeeper(PodContext context, Pod pod) {
    this.context = context;
    this.startTold = pod.getStatus() != null && !"Pending".equals(pod.getStatus().getPhase());
  }

  static boolean terminal(Pod pod) {
    return over(pod.getStatus().getPhase());
  }

  private static boolean over(String phase) {
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  /** The status as it stands: what the pod shows, or what was written since. */
  PodStatus known(Pod pod) {
    Written last = written;
    return last != null && version(pod) < last.version() ? last.status() : pod.getStatus();
  }

  Pod present(Pod pod) {
    PodStatus latest = wanted;
    return latest == null ? pod : new PodBuilder(pod).withStatus(latest).build();
  }

  /** Writes it unless it is there already; false when that failed and is to be tried again. */
  boolean show(Pod pod, PodStatus status) {
    wanted = status;
    if (PodWriter.shows(known(pod), status)) {
      return true;
    }
    try {
      long version = context.writer().patchStatus(pod, status);
      written = new Written(status, version);
      context.metrics().wrote(true);
      note(pod, status);
      return true;
    } catch (ApiException failure) {
      context.metrics().wrote(false);
      if (failure.absent() || failure.status() == 422) {
        LOG.debug("Status of pod {}: {}", pod.getMetadata().getUid(), failure.getMessage());
        return true;
      }
      LOG.warn("Status of pod {}: {}", pod.getMetadata().getUid(), failure.getMessage());
      return false;
    }
  }

  private void note(Pod pod, PodStatus status) {
    if (!startTold && "Running".equals(status.getPhase())) {
      startTold = true;
      context.metrics().started(Duration.ofNanos(System.nanoTime() - firstSeen));
    }
    if (over(status.getPhase())) {
      context.admission().release(pod.getMetadata().getUid());
    }
  }

  private static long version(Pod pod) {
    String version = pod.getMetadata().getResourceVersion();
    return version == null ? 0 : Long.parseLong(version);
  }
}
