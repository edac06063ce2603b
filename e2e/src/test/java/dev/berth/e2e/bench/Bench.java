package dev.berth.e2e.bench;

import dev.berth.e2e.Command;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;

/** Takes the figures. Arguments: the checkout, the kernels, then the sections, none for all. */
public final class Bench {
  private static final int ROUNDS = 5;
  private static final int MANY_ROUNDS = 3;

  /** What the Go virtual-kubelet's mock provider reached with its limits lifted. */
  private static final double MARK_500 = 366;

  private static final double MARK_2000 = 401;
  private static final Set<String> ALL = Set.of("start", "use", "pull", "throughput", "vsphere");

  /** The options of the berth command's Java. */
  private static final List<String> JAVA =
      List.of(
          "-XX:+UseSerialGC",
          "-Xmn96m",
          "-XX:MetaspaceSize=96m",
          "-XX:+UseCompactObjectHeaders",
          "--enable-native-access=ALL-UNNAMED",
          "--sun-misc-unsafe-memory-access=allow");

  private final Path root;
  private final List<String> kernels;
  private final Set<String> sections;
  private final Report report = new Report();
  private final PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);

  private Bench(Path root, List<String> kernels, Set<String> sections) {
    this.root = root;
    this.kernels = kernels;
    this.sections = sections;
  }

  public static void main(String[] arguments) throws Exception {
    Set<String> asked = Set.copyOf(List.of(arguments).subList(2, arguments.length));
    new Bench(
            Path.of(arguments[0]),
            List.of(arguments[1].split(" ", -1)),
            asked.isEmpty() ? ALL : asked)
        .run();
  }

  private void run() throws Exception {
    report.describe(
        "qemu",
        Command.of("qemu-system-x86_64", "--version")
            .run()
            .expect(0)
            .output()
            .lines()
            .findFirst()
            .orElse("?"));
    if (sections.contains("start") || sections.contains("use") || sections.contains("pull")) {
      for (String kernel : kernels) {
        withVms(kernel);
      }
    }
    if (sections.contains("throughput")) {
      throughput();
    }
    if (sections.contains("vsphere")) {
      out.println("making VMs on a vCenter that does not boot them");
      Vcenter vcenter = new Vcenter(report);
      List<Integer> counts = List.of(500, 1000, 2000);
      vcenter.measure(counts, 1);
      out.println("starting pods on a vCenter that plays their guests");
      vcenter.measurePods(root, counts, JAVA);
    }
    report.print(out);
    report.write(root.resolve(".berth/bench.json"));
  }

  private void withVms(String kernel) throws Exception {
    Path bench = root.resolve(".berth/bench");
    out.printf("starting a Virtual Container Host with the %s kernel%n", kernel);
    try (Vch vch = new Vch(root, bench.resolve("boot").resolve(kernel))) {
      if (sections.contains("start")) {
        out.println("starting pods");
        new PodStart(vch, bench.resolve("bare").resolve(kernel).resolve("initramfs"))
            .measure(kernel, ROUNDS, report);
      }
      if (sections.contains("use")) {
        out.println("using pods");
        new Use(vch, report).measure(kernel, MANY_ROUNDS);
      }
      if (sections.contains("pull") && kernel.equals(kernels.getFirst())) {
        out.println("pulling an image");
        Pull.measure(vch, ROUNDS, report);
      }
    }
  }

  private void throughput() throws IOException, InterruptedException {
    out.println("starting pods without VMs");
    try (Throughput throughput =
        new Throughput(
            root.resolve(".berth/bin"),
            root.resolve(".berth/bench/memory"),
            MemoryNode.IMAGE,
            (kubeconfig, node) ->
                Throughput.java(JAVA, MemoryNode.class, List.of(kubeconfig.toString(), node)))) {
      many(throughput, "cold", 500, 1);
      many(throughput, "warm", 500, MANY_ROUNDS);
      many(throughput, "warm", 2000, MANY_ROUNDS);
    }
  }

  private void many(Throughput throughput, String state, int pods, int rounds)
      throws IOException, InterruptedException {
    List<Throughput.Round> all = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      all.add(throughput.measure(pods));
    }
    String section = "%d pods, %s".formatted(pods, state);
    Figure speed =
        report.add(
            section,
            "created -> all Running",
            "pods/s",
            all.stream().map(round -> pods / round.running().seconds()).toList());
    processorTime(
        section, "to Running", pods, all.stream().map(Throughput.Round::running).toList());
    requests(section, pods, all);
    report.add(
        section,
        "deleted -> all gone",
        "s",
        all.stream().map(round -> round.gone().seconds()).toList());
    processorTime(section, "to gone", pods, all.stream().map(Throughput.Round::gone).toList());
    report.add(
        section,
        "provider resident before",
        "MiB",
        all.stream().map(Throughput.Round::before).toList());
    report.add(
        section,
        "provider resident, all Running",
        "MiB",
        all.stream().map(Throughput.Round::after).toList());
    if (state.equals("warm")) {
      report.promise(
          new Report.Promise(
              section, "pods/s", speed.median(), pods == 500 ? MARK_500 : MARK_2000, false));
    }
  }

  private void processorTime(String section, String until, int pods, List<Throughput.Used> all) {
    Map<String, ToDoubleFunction<Throughput.Used>> processes = new LinkedHashMap<>();
    processes.put("provider", Throughput.Used::provider);
    processes.put("control plane", Throughput.Used::controlPlane);
    processes.put("creator", Throughput.Used::creator);
    processes.forEach(
        (process, seconds) ->
            report.add(
                section,
                "processor time %s, %s".formatted(until, process),
                "ms/pod",
                all.stream().map(used -> seconds.applyAsDouble(used) * 1000 / pods).toList()));
  }

  /** Those of which there is more than one for a hundred pods. */
  private void requests(String section, int pods, List<Throughput.Round> all) {
    Set<String> names = new TreeSet<>();
    all.forEach(
        round ->
            round
                .requests()
                .counts()
                .forEach(
                    (name, count) -> {
                      if (count * 100 > pods) {
                        names.add(name);
                      }
                    }));
    for (String name : names) {
      report.add(
          section,
          name,
          "1/pod",
          all.stream()
              .map(round -> round.requests().counts().getOrDefault(name, 0.0) / pods)
              .toList());
    }
  }
}
