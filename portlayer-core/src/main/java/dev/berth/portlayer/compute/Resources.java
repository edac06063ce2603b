package dev.berth.portlayer.compute;

/**
 * What one containerVM may use.
 *
 * @param cpus virtual CPUs, 1 to 64
 * @param cpuLimitMillis thousandths of a CPU that all of them together may use; 0 is no limit
 * @param cpuRequestMillis thousandths of a CPU promised; 0 is none
 * @param memoryLimit bytes that the container may use; the backend adds what the kernel and the
 *     tether need
 * @param memoryRequest bytes promised, at most {@code memoryLimit}
 */
public record Resources(
    int cpus, int cpuLimitMillis, int cpuRequestMillis, long memoryLimit, long memoryRequest) {
  public Resources {
    if (cpus < 1 || cpus > 64) {
      throw new IllegalArgumentException("cpus must be 1 to 64, but is " + cpus);
    }
    if (cpuLimitMillis < 0 || cpuRequestMillis < 0) {
      throw new IllegalArgumentException("CPU limit and request must not be negative");
    }
    if (memoryLimit < 1 || memoryRequest < 0 || memoryRequest > memoryLimit) {
      throw new IllegalArgumentException(
          "memory must satisfy 0 <= request <= limit, but request is %d and limit %d"
              .formatted(memoryRequest, memoryLimit));
    }
  }
}
