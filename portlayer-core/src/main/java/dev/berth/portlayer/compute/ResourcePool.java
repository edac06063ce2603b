package dev.berth.portlayer.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.util.HashMap;
import java.util.Map;

/**
 * Admits containerVMs to a VCH's pool, by memory and number, where no hypervisor does. Safe for use
 * by many threads.
 */
public final class ResourcePool {
  private static final long MEBIBYTE = 1L << 20;

  private final Map<String, Long> admitted = new HashMap<>();
  private Capacity capacity;
  private long used;

  public ResourcePool(Capacity capacity) {
    this.capacity = capacity;
  }

  public synchronized Capacity capacity() {
    return capacity;
  }

  /** Counts for what comes; what is in stays in. */
  public synchronized void changeCapacity(Capacity changed) {
    capacity = changed;
  }

  /**
   * Refuses what an empty pool could not hold.
   *
   * @throws PortLayerException RESOURCE_EXHAUSTED
   */
  public synchronized void requireFits(GroupSpec spec) {
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

  /**
   * Takes what a VM needs; once for each VM.
   *
   * @throws PortLayerException RESOURCE_EXHAUSTED
   */
  public synchronized void admit(ContainerVmSpec spec) {
    if (admitted.containsKey(spec.id())) {
      return;
    }
    if (used + need(spec) > capacity.memory() || admitted.size() >= capacity.containerVms()) {
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
    adopt(spec);
  }

  /** What runs already is in, whether it fits or not. */
  public synchronized void adopt(ContainerVmSpec spec) {
    if (admitted.putIfAbsent(spec.id(), need(spec)) == null) {
      used += need(spec);
    }
  }

  /** Gives back what a VM took; harmless when it took nothing. */
  public synchronized void release(String id) {
    Long memory = admitted.remove(id);
    if (memory != null) {
      used -= memory;
    }
  }

  private long need(ContainerVmSpec spec) {
    return spec.resources().memoryLimit() + capacity.memoryOverhead();
  }
}
