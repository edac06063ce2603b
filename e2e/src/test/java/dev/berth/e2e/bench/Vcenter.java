package dev.berth.e2e.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * What the port layer on vCenter, and a node with it, take for many containerVMs in a lab that does
 * not boot them.
 */
final class Vcenter {
  private static final int AT_ONCE = 16;

  private final Report report;

  Vcenter(Report report) {
    this.report = report;
  }

  void measure(List<Integer> counts, int rounds) throws IOException, InterruptedException {
    try (VcenterLoad load = new VcenterLoad(AT_ONCE)) {
      load.measure(counts.getFirst()); // What the first load compiles is no vCenter's matter.
      for (int groups : counts) {
        List<VcenterLoad.Round> all = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
          all.add(load.measure(groups));
        }
        report("%d on vCenter".formatted(groups), groups, all);
      }
    }
  }

  /** The same with all that a node does for a pod, the first load of its process too. */
  void measurePods(Path root, List<Integer> counts, List<String> options)
      throws IOException, InterruptedException {
    try (VcenterPods load = new VcenterPods(root, root.resolve(".berth/bench/vcenter"), options)) {
      pods("%d pods, vCenter, cold".formatted(counts.getFirst()), counts.getFirst(), load);
      for (int pods : counts) {
        pods("%d pods, vCenter".formatted(pods), pods, load);
      }
    }
  }

  private void pods(String section, int pods, VcenterPods load)
      throws IOException, InterruptedException {
    VcenterPods.Round round = load.measure(pods);
    done(section, "Running", pods, round.running());
    done(section, "gone", pods, round.gone());
    Map<String, Double> requests = new TreeMap<>(round.requests().counts());
    requests.values().removeIf(count -> count * 100 <= pods);
    requests.forEach((name, count) -> add(section, name, "1/pod", count / pods));
    add(section, "provider heap with no pod", "MiB", round.heapBefore());
    add(section, "provider heap with all", "MiB", round.heap());
    add(section, "of that for a pod", "KiB", (round.heap() - round.heapBefore()) * 1024 / pods);
    add(section, "provider resident before", "MiB", round.residentBefore());
    add(section, "provider resident, all Running", "MiB", round.resident());
    add(section, "lab resident, all Running", "MiB", round.lab());
  }

  private void done(String section, String what, int pods, VcenterPods.Done done) {
    Throughput.Used used = done.used();
    add(section, what, "s", used.seconds());
    add(section, what, "pods/s", pods / used.seconds());
    Map<String, Double> processors = new LinkedHashMap<>();
    processors.put("provider", used.provider());
    processors.put("control plane", used.controlPlane());
    processors.put("lab", done.lab());
    processors.forEach(
        (process, seconds) ->
            add(
                section,
                "%s: processor time, %s".formatted(what, process),
                "ms/pod",
                seconds * 1000 / pods));
    int all = done.calls().values().stream().mapToInt(Integer::intValue).sum();
    add(section, what + ": requests of vCenter", "1/pod", (double) all / pods);
    done.calls()
        .forEach(
            (method, count) -> {
              if (count * 100 > pods) {
                add(section, what + ": " + method, "1/pod", (double) count / pods);
              }
            });
  }

  private void add(String section, String name, String unit, double value) {
    report.add(section, name, unit, List.of(value));
  }

  private void report(String section, int groups, List<VcenterLoad.Round> all) {
    each(section, "created", groups, all, VcenterLoad.Round::created);
    each(section, "powered on", groups, all, VcenterLoad.Round::poweredOn);
    add(section, "listed", "ms", all, round -> round.listed().seconds() * 1000);
    add(section, "control plane restarted", "s", all, round -> round.restarted().seconds());
    calls(section, "restart", 1, all, VcenterLoad.Round::restarted);
    each(section, "destroyed", groups, all, VcenterLoad.Round::destroyed);
    add(section, "heap with no VM", "MiB", all, VcenterLoad.Round::heapBefore);
    add(section, "heap with all", "MiB", all, VcenterLoad.Round::heap);
    add(
        section,
        "heap of one VM",
        "KiB",
        all,
        round -> (round.heap() - round.heapBefore()) * 1024 / groups);
    add(section, "lab resident with all", "MiB", all, VcenterLoad.Round::lab);
  }

  private void each(
      String section,
      String what,
      int groups,
      List<VcenterLoad.Round> all,
      Function<VcenterLoad.Round, VcenterLoad.Step> step) {
    add(section, what, "s", all, round -> step.apply(round).seconds());
    add(section, what, "groups/s", all, round -> groups / step.apply(round).seconds());
    add(
        section,
        what + ": processor time, port layer",
        "ms/group",
        all,
        round -> step.apply(round).own() * 1000 / groups);
    add(
        section,
        what + ": processor time, lab",
        "ms/group",
        all,
        round -> step.apply(round).lab() * 1000 / groups);
    calls(section, what, groups, all, step);
  }

  /** Those of which there is more than one for a hundred of what is asked about. */
  private void calls(
      String section,
      String what,
      int among,
      List<VcenterLoad.Round> all,
      Function<VcenterLoad.Round, VcenterLoad.Step> step) {
    all.stream()
        .flatMap(round -> step.apply(round).calls().entrySet().stream())
        .filter(method -> method.getValue() * 100 > among)
        .map(method -> method.getKey())
        .distinct()
        .sorted()
        .forEach(
            method ->
                add(
                    section,
                    what + ": " + method,
                    among == 1 ? "calls" : "1/group",
                    all,
                    round -> step.apply(round).calls().getOrDefault(method, 0) / (double) among));
  }

  private void add(
      String section,
      String name,
      String unit,
      List<VcenterLoad.Round> all,
      ToDoubleFunction<VcenterLoad.Round> value) {
    report.add(section, name, unit, all.stream().map(round -> value.applyAsDouble(round)).toList());
  }
}
