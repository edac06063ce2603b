package dev.berth.e2e.bench;

import dev.berth.e2e.Command;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * How long a pod takes to its first log line, beside a bare boot: the very command of the pod's
 * QEMU with copies of its files, and a static init in the tether's place. Rounds of both alternate,
 * so that what else the machine does strikes both.
 */
final class PodStart {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String BARE_LINE = "testinit: started";
  private static final double PROMISED_RATIO = 1.5;
  private static final double PROMISED_OVERHEAD = 300;

  private final Vch vch;
  private final Path bareInitramfs;
  private final List<double[]> stages = new ArrayList<>();
  private final List<Double> bare = new ArrayList<>();

  PodStart(Vch vch, Path bareInitramfs) {
    this.vch = vch;
    this.bareInitramfs = bareInitramfs;
  }

  void measure(String kernel, int rounds, Report report) {
    round(-1); // The image is pulled, and nothing is kept of it.
    stages.clear();
    bare.clear();
    for (int i = 0; i < rounds; i++) {
      round(i);
    }
    String section = "start " + kernel;
    Figure overhead = stage(report, section, "apply -> VM started", 0);
    stage(report, section, "VM started -> process started", 1);
    stage(report, section, "process started -> first log line", 2);
    Figure all =
        report.add(
            section,
            "apply -> first log line",
            "ms",
            stages.stream().map(times -> times[0] + times[1] + times[2]).toList());
    Figure boot = report.add(section, "bare boot -> first line of a static init", "ms", bare);
    double ratio = all.median() / boot.median();
    report.add(section, "first log line / bare boot, medians", "x", List.of(ratio));
    report.promise(
        new Report.Promise(
            "first log line / bare boot, " + kernel, "x", ratio, PROMISED_RATIO, true));
    report.promise(
        new Report.Promise(
            "control-plane overhead, " + kernel, "ms", overhead.median(), PROMISED_OVERHEAD, true));
  }

  private Figure stage(Report report, String section, String name, int index) {
    return report.add(section, name, "ms", stages.stream().map(times -> times[index]).toList());
  }

  private void round(int number) {
    String name = "start-" + (number + 1);
    long begun = System.nanoTime();
    Pod pod = vch.create(name, "echo first; exec sleep 100000");
    Path files = vch.containerVm(pod);
    double[] at = {
      when(begun, () -> Files.exists(files.resolve("qemu.log"))),
      when(begun, () -> holds(files.resolve("state.jsonl"), "\"RUNNING\"")),
      when(begun, () -> holds(files.resolve("log/container.log"), "first"))
    };
    stages.add(new double[] {at[0], at[1] - at[0], Math.max(0, at[2] - at[1])});
    BareBoot boot = new BareBoot(vch, pod, bareInitramfs);
    vch.delete(name);
    bare.add(boot.milliseconds());
  }

  private static double when(long begun, BooleanSupplier seen) {
    Machine.await("start of a pod", PATIENCE, seen);
    return Machine.millisSince(begun);
  }

  private static boolean holds(Path file, String text) {
    try {
      return Files.exists(file) && Files.readString(file).contains(text);
    } catch (IOException e) {
      return false;
    }
  }

  /** One boot of a containerVM's machine without the containerVM. */
  private static final class BareBoot {
    private final List<String> line = new ArrayList<>();
    private final Path console;

    BareBoot(Vch vch, Pod pod, Path initramfs) {
      Path files = vch.containerVm(pod);
      Path folder = vch.folder("bare-boot");
      copy(files, folder);
      this.console = folder.resolve("console.log");
      line.addAll(List.of("ip", "netns", "exec", Vch.NAME));
      String previous = "";
      for (String word :
          Machine.read(Path.of("/proc/" + vch.qemu(pod) + "/cmdline")).split("\0", -1)) {
        if (!word.isEmpty() && !word.equals("-runas") && !previous.equals("-runas")) {
          line.add(changed(previous, word, files, folder, initramfs));
        }
        previous = word;
      }
    }

    private static String changed(
        String option, String word, Path files, Path folder, Path initramfs) {
      if (option.equals("-initrd")) {
        return initramfs.toString();
      }
      if (option.equals("-netdev")) {
        return word.replaceFirst("^tap,(id=[^,]*).*", "hubport,$1,hubid=0");
      }
      if (option.equals("-fw_cfg")) {
        return "name=opt/dev.berth/config,file=" + folder.resolve("boot-config.json");
      }
      return word.replace(files + "/log", folder.toString())
          .replace(files.toString(), folder.toString())
          .replaceFirst("(path=|unix:)/run/[^,]*\\.(control|monitor)", "$1" + folder + "/$2")
          .replaceFirst("file=.*\\.scratch$", "file=" + folder.resolve("scratch"));
    }

    /** The scratch disk as it is now; the image's disk is shared as it always is. */
    private static void copy(Path files, Path folder) {
      String group = files.getName(files.getNameCount() - 2).toString();
      Path disks = files.resolve("../../../disks").normalize();
      try (var all = Files.list(disks)) {
        Path scratch =
            all.filter(disk -> String.valueOf(disk.getFileName()).startsWith(group))
                .findFirst()
                .orElseThrow();
        Command.of("cp", "--sparse=always", scratch.toString(), folder + "/scratch")
            .run()
            .expect(0);
        Files.writeString(folder.resolve("boot-config.json"), "{\"schema\":1,\"id\":\"bare\"}");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    double milliseconds() {
      long begun = System.nanoTime();
      Process qemu = Command.of(line).start();
      try {
        return when(
            begun,
            () -> {
              if (!qemu.isAlive()) {
                throw new IllegalStateException("the bare boot failed: " + said(qemu));
              }
              return holds(console, BARE_LINE);
            });
      } finally {
        end(qemu);
      }
    }

    private static String said(Process qemu) {
      try {
        return new String(qemu.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        return e.toString();
      }
    }

    private static void end(Process qemu) {
      qemu.destroy();
      try {
        if (!qemu.waitFor(20, TimeUnit.SECONDS)) {
          qemu.destroyForcibly();
        }
      } catch (InterruptedException e) {
        qemu.destroyForcibly();
        Thread.currentThread().interrupt();
      }
    }
  }
}
