package dev.berth.provider.translate;

import dev.berth.portlayer.compute.Resources;
import io.fabric8.kubernetes.api.model.Container;
import java.util.Optional;

/** What a containerVM gets of its container's requests and limits. */
final class ResourceMapping {
  private static final int MOST_CPUS = 64;

  private ResourceMapping() {}

  /**
   * Virtual CPUs are the limit rounded up, or without a limit the request rounded up, at least one.
   * Memory is the limit, or without a limit the default or the request, whichever is more: a VM,
   * unlike a cgroup, needs to have a size.
   */
  static Resources of(Container container, long defaultMemory) {
    long limit = Quantities.limit(container, "cpu").map(Quantities::millis).orElse(0L);
    long request = Quantities.request(container, "cpu").map(Quantities::millis).orElse(0L);
    long millis = limit > 0 ? limit : request;
    int cpus = Math.clamp((millis + 999) / 1000, 1, MOST_CPUS);
    long promised = Quantities.request(container, "memory").map(Quantities::whole).orElse(0L);
    long memory =
        Quantities.limit(container, "memory")
            .map(Quantities::whole)
            .orElse(Math.max(defaultMemory, promised));
    return new Resources(
        cpus,
        (int) Math.min(limit, MOST_CPUS * 1000L),
        (int) Math.min(request, MOST_CPUS * 1000L),
        Math.max(1, memory),
        Math.min(promised, Math.max(1, memory)));
  }

  /** Bytes of the scratch disk. */
  static long scratch(Container container, long usual) {
    Optional<Long> limit = Quantities.limit(container, "ephemeral-storage").map(Quantities::whole);
    return Math.max(Volumes.SMALLEST_DISK, limit.orElse(usual));
  }
}
