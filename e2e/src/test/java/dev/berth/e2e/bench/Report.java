package dev.berth.e2e.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;

/** All figures of a run, and what was promised of them. */
final class Report {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<String, Object> machine = new LinkedHashMap<>();
  private final List<Figure> figures = new ArrayList<>();
  private final List<Promise> promises = new ArrayList<>();

  /**
   * A bound on a measured value.
   *
   * @param atMost whether the bound is the most that the value may be, or the least
   */
  record Promise(String name, String unit, double value, double bound, boolean atMost) {
    boolean kept() {
      return atMost ? value <= bound : value >= bound;
    }
  }

  Report() {
    machine.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("java", Runtime.version().toString());
    machine.put("loadBefore", Machine.load());
  }

  void describe(String name, Object value) {
    machine.put(name, value);
  }

  Figure add(String section, String name, String unit, List<Double> samples) {
    Figure figure = new Figure(section, name, unit, samples);
    figures.add(figure);
    return figure;
  }

  void promise(Promise promise) {
    promises.add(promise);
  }

  void print(PrintWriter out) {
    machine.put("loadAfter", Machine.load());
    machine.forEach((name, value) -> out.printf("%s: %s%n", name, value));
    out.printf(
        "%n%-18s %-52s %-8s %10s %10s %10s %3s%n",
        "SECTION", "FIGURE", "UNIT", "MIN", "MEDIAN", "MAX", "N");
    for (Figure figure : figures) {
      out.printf(
          "%-18s %-52s %-8s %10s %10s %10s %3d%n",
          figure.section(),
          figure.name(),
          figure.unit(),
          number(figure.minimum()),
          number(figure.median()),
          number(figure.maximum()),
          figure.samples().size());
    }
    out.println();
    for (Promise promise : promises) {
      out.printf(
          "%-11s %s: %s %s, promised %s %s%n",
          promise.kept() ? "reached" : "NOT REACHED",
          promise.name(),
          number(promise.value()),
          promise.unit(),
          promise.atMost() ? "at most" : "at least",
          number(promise.bound()));
    }
    out.flush();
  }

  void write(Path file) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("machine", machine);
    all.put("figures", figures.stream().map(Report::fields).toList());
    all.put("promises", promises.stream().map(Report::fields).toList());
    try {
      Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(all) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, Object> fields(Figure figure) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("section", figure.section());
    fields.put("name", figure.name());
    fields.put("unit", figure.unit());
    fields.put("minimum", figure.minimum());
    fields.put("median", figure.median());
    fields.put("maximum", figure.maximum());
    fields.put("samples", figure.samples());
    return fields;
  }

  private static Map<String, Object> fields(Promise promise) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("name", promise.name());
    fields.put("unit", promise.unit());
    fields.put("value", promise.value());
    fields.put(promise.atMost() ? "atMost" : "atLeast", promise.bound());
    fields.put("kept", promise.kept());
    return fields;
  }

  private static String number(double value) {
    return String.format(
        Locale.ROOT,
        Math.abs(value) < 10 ? "%.2f" : Math.abs(value) < 100 ? "%.1f" : "%.0f",
        value);
  }
}
