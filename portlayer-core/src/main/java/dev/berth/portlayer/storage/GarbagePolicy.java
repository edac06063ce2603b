package dev.berth.portlayer.storage;

import java.time.Duration;

/**
 * When images are removed, with the kubelet's meaning and defaults (imageGCHighThresholdPercent,
 * imageGCLowThresholdPercent, imageMinimumGCAge).
 *
 * @param highPercent used share of the datastore from which images are removed, 0 to 100
 * @param lowPercent used share down to which they are removed, below {@code highPercent}
 * @param minimumAge images used more recently stay
 */
public record GarbagePolicy(int highPercent, int lowPercent, Duration minimumAge) {
  public GarbagePolicy {
    if (highPercent < 0 || highPercent > 100 || lowPercent < 0 || lowPercent > highPercent) {
      throw new IllegalArgumentException(
          "image garbage collection thresholds must satisfy 0 <= low <= high <= 100, but are %d and %d"
              .formatted(lowPercent, highPercent));
    }
  }

  /** The kubelet's defaults: 85, 80, two minutes. */
  public static GarbagePolicy defaults() {
    return new GarbagePolicy(85, 80, Duration.ofMinutes(2));
  }
}
