package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import java.util.HashMap;
import java.util.Map;

/** Admits containerVMs to the VCH's pool, by memory and number. Safe for use by many threads. */
final class Pool {
  private static final long MEBIBYTE = 1L << 20;

  private final Capacity capacity;
  private final Map<String, Long> admitted = new HashMap<>();

  Pool(Capacity capacity) {
    this.capacity = capacity;
  }

  Capacity capacity() {
    return capacity;
  }

  /** Refuses what an empty pool could not hold. */
  void requireFits(GroupSpec spec) {
    long memory = spec.members().stream().mapToLong(this::need).sum();
    if (memory > capacity.memory() || spec.members().size() > capacity.containerVms()) {
      throw new PortLayerException(
          Code.RESOURCE_EXHAUSTED,
          "group %s needs %d MiB for %d containerVMs, but the pool has %d MiB for %d in all"
              .formatted(
                  spec.id(),
                  memory / MEBIBYTE,
                  spec.members().size(),
                  capacity.memory() / MEBIBYTE,
                  capacity.containerVms()));
    }
  }

  /** Takes what a VM needs; once for each VM. */
  synchronized void admit(ContainerVmSpec spec) {
    long used = admitted.values().stream().mapToLong(Long::longValue).sum();
    boolean present = admitted.containsKey(spec.id());
    if (!present
        && (used + need(spec) > capacity.memory() || admitted.size() >= capacity.containerVms())) {
      throw new PortLayerException(
          Code.RESOURCE_EXHAUSTED,
          "containerVM %s needs %d MiB, but %d of the pool's %d MiB and %d of its %d containerVMs are in use"
              .formatted(
                  spec.id(),
                  need(spec) / MEBIBYTE,
                  used / MEBIBYTE,
                  capacity.memory() / MEBIBYTE,
                  admitted.size(),
                  capacity.containerVms()));
    }
    admitted.put(spec.id(), need(spec));
  }

  /** What runs already is in, whether it fits or not. */
  synchronized void adopt(ContainerVmSpec spec) {
    admitted.put(spec.id(), need(spec));
  }

  synchronized void release(String id) {
    admitted.remove(id);
  }

  private long need(ContainerVmSpec spec) {
    return spec.resources().memoryLimit() + capacity.memoryOverhead();
  }
}
