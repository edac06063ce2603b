package dev.berth.e2e.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** What this machine says of itself and of its processes, and waiting on it. */
final class Machine {
  private static final double KIB_PER_MIB = 1024;
  private static final double MEBIBYTE = 1L << 20;
  private static final long LOOK_NANOS = 2_000_000;

  private Machine() {}

  /** The load average of the last minute. */
  static double load() {
    return Double.parseDouble(read(Path.of("/proc/loadavg")).split(" ", 2)[0]);
  }

  /** A process's resident memory, MiB. */
  static double resident(long pid) {
    return mebibytes(read(Path.of("/proc/" + pid + "/status")), "VmRSS");
  }

  /** The processor time that a process has had, seconds. */
  static double processor(ProcessHandle process) {
    return process.info().totalCpuDuration().orElseThrow().toMillis() / 1e3;
  }

  /** What this process uses of its heap after a collection, MiB. */
  static double heap() {
    // What the first collection makes reachable by finalizers and references goes with the second.
    System.gc();
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return (runtime.totalMemory() - runtime.freeMemory()) / MEBIBYTE;
  }

  /** Resident memory with what it shares divided among all that share it, MiB. */
  static double proportional(long pid) {
    return mebibytes(read(Path.of("/proc/" + pid + "/smaps_rollup")), "Pss");
  }

  /** The field of a text in the form of /proc/meminfo, MiB. */
  static double mebibytes(String text, String field) {
    return text.lines()
            .filter(line -> line.startsWith(field + ":"))
            .map(line -> line.replaceAll("[^0-9]", ""))
            .mapToDouble(Double::parseDouble)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no " + field + " in " + text))
        / KIB_PER_MIB;
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Looks every 2 ms. */
  static void await(String what, Duration patience, BooleanSupplier condition) {
    long end = System.nanoTime() + patience.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new IllegalStateException("%s: not within %s".formatted(what, patience));
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  static double millisSince(long nanoTime) {
    return (System.nanoTime() - nanoTime) / 1e6;
  }
}
