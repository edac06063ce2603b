package dev.berth.e2e.bench;

import dev.berth.e2e.Command;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Takes the figures. Arguments: the checkout, the kernels, then the sections, none for all. */
public final class Bench {
  private static final int ROUNDS = 5;
  private static final int MANY_ROUNDS = 3;

  /** What the Go virtual-kubelet's mock provider reached with its limits lifted. */
  private static final double MARK_500 = 366;

  private static final double MARK_2000 = 401;
  private static final Set<String> ALL = Set.of("start", "use", "pull", "throughput");

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
            List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"))) {
      many(throughput, "cold", 500, 1);
      many(throughput, "warm", 500, MANY_ROUNDS);
      many(throughput, "warm", 2000, MANY_ROUNDS);
    }
  }

  private void many(Throughput throughput, String state, int pods, int rounds)
      throws InterruptedException {
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
            all.stream().map(r -> pods / r.running()).toList());
    report.add(
        section, "deleted -> all gone", "s", all.stream().map(Throughput.Round::gone).toList());
    report.add(
        section,
        "provider's processor time to Running",
        "s",
        all.stream().map(Throughput.Round::cpu).toList());
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
}
