package dev.berth.portlayer.local.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What the host's processor says of itself. */
public final class Host {
  private Host() {}

  /** As shown in {@code /proc/cpuinfo}. */
  static String processor() {
    return cpuInfo("model name").orElse("unknown");
  }

  static String kernel() {
    return System.getProperty("os.version", "unknown");
  }

  /** The rate of the time-stamp counter, which the emulated processor passes through; 0 unknown. */
  public static long tscKilohertz() {
    return cpuInfo("cpu MHz")
        .map(megahertz -> (long) (Double.parseDouble(megahertz) * 1000))
        .orElse(0L);
  }

  private static Optional<String> cpuInfo(String key) {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
