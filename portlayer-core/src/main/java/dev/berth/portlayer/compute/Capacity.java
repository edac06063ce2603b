package dev.berth.portlayer.compute;

/**
 * What the VCH's pool offers to containers.
 *
 * @param cpuMillis thousandths of a CPU
 * @param memory bytes
 * @param containerVms how many VMs may exist
 * @param memoryOverhead bytes of {@code memory} that each containerVM needs beyond its container's
 *     limit
 */
public record Capacity(long cpuMillis, long memory, int containerVms, long memoryOverhead) {}
