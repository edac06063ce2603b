package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import java.util.Optional;

/** Kubernetes' numbers with units. */
public final class Quantities {
  private Quantities() {}

  /** Bytes, or any other plain number, rounded up. */
  public static long whole(Quantity quantity) {
    return quantity.getNumericalAmount().setScale(0, RoundingMode.CEILING).longValueExact();
  }

  /** Thousandths, rounded up. */
  public static long millis(Quantity quantity) {
    return quantity
        .getNumericalAmount()
        .movePointRight(3)
        .setScale(0, RoundingMode.CEILING)
        .longValueExact();
  }

  static BigDecimal divided(Quantity quantity, Quantity divisor) {
    return quantity
        .getNumericalAmount()
        .divide(divisor.getNumericalAmount(), 0, RoundingMode.CEILING);
  }

  static Optional<Quantity> limit(Container container, String resource) {
    return Optional.ofNullable(container.getResources())
        .map(ResourceRequirements::getLimits)
        .map(limits -> limits.get(resource));
  }

  /** The request, which is the limit where only that is given. */
  static Optional<Quantity> request(Container container, String resource) {
    return Optional.ofNullable(container.getResources())
        .map(ResourceRequirements::getRequests)
        .map(requests -> requests.get(resource))
        .or(() -> limit(container, resource));
  }

  /** What the pod's containers request together, in thousandths of a CPU. */
  public static long requestedCpuMillis(Pod pod) {
    return pod.getSpec().getContainers().stream()
        .mapToLong(container -> request(container, "cpu").map(Quantities::millis).orElse(0L))
        .sum();
  }

  /** What the pod's containers request together, in bytes. */
  public static long requested(Pod pod, String resource) {
    return pod.getSpec().getContainers().stream()
        .mapToLong(container -> request(container, resource).map(Quantities::whole).orElse(0L))
        .sum();
  }

  /** Resources of a node by name. */
  public static Map<String, Quantity> of(long cpuMillis, long memory, long pods, long storage) {
    return Map.of(
        "cpu", new Quantity(cpuMillis + "m"),
        "memory", new Quantity((memory >> 10) + "Ki"),
        "pods", new Quantity(Long.toString(pods)),
        "ephemeral-storage", new Quantity((storage >> 10) + "Ki"));
  }
}
