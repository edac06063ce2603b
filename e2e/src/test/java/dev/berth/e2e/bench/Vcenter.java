package dev.berth.e2e.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** What the port layer on vCenter takes for many containerVMs, in a lab that does not boot them. */
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
