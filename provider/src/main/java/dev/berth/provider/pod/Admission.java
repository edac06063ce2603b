package dev.berth.provider.pod;

import dev.berth.provider.lifecycle.PodMemory.Rejection;
import dev.berth.provider.translate.Quantities;
import dev.berth.provider.translate.SupportedFields;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Whether a pod may run here: what a kubelet checks when a pod arrives, because a pod may be bound
 * without a scheduler, or by one that did not know better.
 */
final class Admission {
  /** Of pods that ask for what is not there; none of the kubelet's own reasons says so. */
  static final String UNSUPPORTED = "UnsupportedPodSpec";

  private final SupportedFields fields;
  private final Supplier<Map<String, Quantity>> allocatable;
  private final Map<String, Share> shares = new HashMap<>();
  private long usedCpu;
  private long usedMemory;

  private record Share(long cpuMillis, long memory) {}

  Admission(SupportedFields fields, Supplier<Map<String, Quantity>> allocatable) {
    this.fields = fields;
    this.allocatable = allocatable;
  }

  /**
   * Empty when the pod may run; then its requests are counted until {@link #release}. Idempotent.
   *
   * @param present whether it runs here already, so that only its requests are to be counted
   */
  Optional<Rejection> admit(Pod pod, boolean present) {
    if (!present) {
      List<String> refused = fields.refused(pod);
      if (!refused.isEmpty()) {
        return Optional.of(
            new Rejection(UNSUPPORTED, "Berth does not support " + String.join(", ", refused)));
      }
    }
    return reserve(pod, present);
  }

  private synchronized Optional<Rejection> reserve(Pod pod, boolean present) {
    String uid = pod.getMetadata().getUid();
    if (shares.containsKey(uid)) {
      return Optional.empty();
    }
    Share share =
        new Share(Quantities.requestedCpuMillis(pod), Quantities.requested(pod, "memory"));
    Optional<Rejection> rejection = present ? Optional.empty() : check(share);
    if (rejection.isEmpty()) {
      shares.put(uid, share);
      usedCpu += share.cpuMillis();
      usedMemory += share.memory();
    }
    return rejection;
  }

  private Optional<Rejection> check(Share share) {
    Map<String, Quantity> node = allocatable.get();
    return exceeded("pods", 1, shares.size(), Quantities.whole(offered(node, "pods")))
        .or(
            () ->
                exceeded(
                    "cpu", share.cpuMillis(), usedCpu, Quantities.millis(offered(node, "cpu"))))
        .or(
            () ->
                exceeded(
                    "memory",
                    share.memory(),
                    usedMemory,
                    Quantities.whole(offered(node, "memory"))));
  }

  private static Quantity offered(Map<String, Quantity> node, String resource) {
    return node.getOrDefault(resource, new Quantity("0"));
  }

  private static Optional<Rejection> exceeded(
      String resource, long requested, long used, long capacity) {
    if (requested == 0 || used + requested <= capacity) {
      return Optional.empty();
    }
    return Optional.of(
        new Rejection(
            "OutOf" + resource,
            "Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d"
                .formatted(resource, requested, used, capacity)));
  }

  /** The pod uses nothing any more. Idempotent. */
  synchronized void release(String podUid) {
    Share share = shares.remove(podUid);
    if (share != null) {
      usedCpu -= share.cpuMillis();
      usedMemory -= share.memory();
    }
  }
}
