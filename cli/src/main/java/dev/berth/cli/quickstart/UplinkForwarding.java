package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Forwarding of what comes in by the host's uplink: without it, answers do not reach an
 * installation's namespace. Where it was off, it is on as long as an installation needs it, and
 * nothing is forwarded meanwhile but to the installations' links. Where it was on anyway, nothing
 * is touched. Who needs it is recorded in one place of the host, so that the last one can switch it
 * off.
 */
final class UplinkForwarding {
  /** Goes with a restart of the host, as the setting itself does. */
  static final Path RECORDS = Path.of("/run/berth/forwarding");

  private static final Pattern DEFAULT_ROUTE = Pattern.compile("(?m)^default .*\\bdev (\\S+)");

  private final String uplink;
  private final Path records;
  private final Path users;

  UplinkForwarding(String uplink, Path records) {
    this.uplink = uplink;
    this.records = records;
    this.users = records.resolve(uplink);
  }

  /** That of the host's default route. */
  static Optional<UplinkForwarding> ofDefaultRoute() {
    Matcher route = DEFAULT_ROUTE.matcher(Shell.require("ip", "-4", "route", "show", "default"));
    return route.find()
        ? Optional.of(new UplinkForwarding(route.group(1), RECORDS))
        : Optional.empty();
  }

  /** Ends every need of an installation, by whichever uplink it once was. Idempotent. */
  static void release(String link, Path records) {
    if (!Files.isDirectory(records)) {
      return;
    }
    for (String uplink : names(records)) {
      if (Files.isDirectory(records.resolve(uplink))) {
        new UplinkForwarding(uplink, records).release(link);
      }
    }
  }

  /**
   * Sees to it that answers are forwarded to an installation's link. Idempotent.
   *
   * @throws QuickstartException when the host refuses
   */
  void require(String link) {
    locked(
        () -> {
          if (names(users).isEmpty() && isOn()) {
            return;
          }
          Files.createDirectories(users);
          Files.writeString(users.resolve(link), "");
          restrict();
          set("1");
        });
  }

  private void release(String link) {
    locked(
        () -> {
          if (!Files.deleteIfExists(users.resolve(link))) {
            return;
          }
          if (names(users).isEmpty()) {
            // The uplink itself may be gone, and its setting with it.
            Shell.run("sysctl", "-qw", setting() + "=0");
            Shell.run("nft", "delete", "table", "ip", table());
            Files.delete(users);
          } else {
            restrict();
          }
        });
  }

  /** Keeps a host that did not forward from becoming a router for its neighbours. */
  private void restrict() {
    String links =
        names(users).stream()
            .map(link -> '"' + link + '"')
            .collect(Collectors.joining(", ", "{ ", " }"));
    String rules =
        """
        table ip %1$s
        delete table ip %1$s
        table ip %1$s {
          chain forward {
            type filter hook forward priority filter; policy accept;
            iifname "%2$s" oifname != %3$s drop
          }
        }
        """
            .formatted(table(), uplink, links);
    Shell.Result result = Shell.run(List.of("nft", "-f", "-"), rules);
    if (result.exitCode() != 0) {
      throw new QuickstartException("nft refused the uplink's rules: " + result.output());
    }
  }

  private String table() {
    return "berth-uplink-" + uplink.replaceAll("[^A-Za-z0-9]", "-");
  }

  /** With slashes, because a device's name may hold dots. */
  private String setting() {
    return "net/ipv4/conf/%s/forwarding".formatted(uplink);
  }

  private boolean isOn() {
    return Shell.require("sysctl", "-n", setting()).equals("1");
  }

  private void set(String value) {
    Shell.require("sysctl", "-qw", setting() + "=" + value);
  }

  private static List<String> names(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + directory + ": " + e.getMessage(), e);
    }
  }

  @FunctionalInterface
  private interface Change {
    void make() throws IOException;
  }

  /** One installation at a time. */
  private void locked(Change change) {
    try {
      Files.createDirectories(records);
      try (FileChannel lock =
          FileChannel.open(
              records.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        var _ = lock.lock();
        change.make();
      }
    } catch (IOException e) {
      throw new QuickstartException("cannot change " + records + ": " + e.getMessage(), e);
    }
  }
}
