package dev.berth.cli.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Who tells pods the addresses of names outside of the cluster. */
public final class NameServers {
  private NameServers() {}

  /** The machine's own, but for those on its loopback, which pods cannot reach. */
  public static List<String> ofMachine() {
    try (Stream<String> lines = Files.lines(Path.of("/etc/resolv.conf"))) {
      return lines
          .map(line -> line.strip().split("\\s+", -1))
          .filter(words -> words.length > 1 && words[0].equals("nameserver"))
          .map(words -> words[1])
          .filter(address -> address.matches("[0-9.]+") && !address.startsWith("127."))
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
