package dev.berth.e2e.bench;

import java.util.Arrays;
import java.util.List;

/**
 * One measured quantity.
 *
 * @param samples at least one, in the order they were taken
 */
record Figure(String section, String name, String unit, List<Double> samples) {
  Figure {
    samples = List.copyOf(samples);
    if (samples.isEmpty()) {
      throw new IllegalArgumentException(name + " was not measured");
    }
  }

  double minimum() {
    return sorted()[0];
  }

  /** The upper one of two middle samples. */
  double median() {
    return sorted()[samples.size() / 2];
  }

  double maximum() {
    return sorted()[samples.size() - 1];
  }

  private double[] sorted() {
    double[] values = samples.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(values);
    return values;
  }
}
