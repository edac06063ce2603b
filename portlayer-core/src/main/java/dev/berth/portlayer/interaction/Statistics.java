package dev.berth.portlayer.interaction;

import java.time.Instant;

/**
 * What a containerVM uses; sizes in bytes, CPU time in nanoseconds since its boot.
 *
 * @param memoryWorkingSet of the container's processes, without page cache that can be dropped
 */
public record Statistics(
    Instant time,
    long cpuNanoseconds,
    long memoryWorkingSet,
    long memoryUsage,
    long scratchUsed,
    long scratchCapacity,
    int processes,
    long networkReceived,
    long networkSent) {}
