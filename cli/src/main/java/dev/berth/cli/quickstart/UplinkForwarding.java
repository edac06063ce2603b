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

/**
 * Forwarding of what comes in by the host's uplink: without it, answers do not reach an
 * installation's namespace. Where it was off, it is on as long as an installation needs it, and
 * nothing is forwarded meanwhile but to the installations' links. Where it was on anyway, nothing
 * is touched. Who needs it is recorded in one place of the host, so that the last one can switch it
 * off and remove the records.
 */
final class UplinkForwarding {
  /**
   * Goes with a restart of the host, as the setting itself does. An installation, whose folder is
   * beside it, cannot have that name.
   */
  static final Path RECORDS = HostFiles.RUN.resolve(".forwarding");

  private static final Pattern DEFAULT_ROUTE = Pattern.compile("(?m)^default .*\\bdev (\\S+)");

  private final String uplink;
  private final Path users;

  UplinkForwarding(String uplink, Path records) {
    this.uplink = uplink;
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
    for (String uplink : HostFiles.names(records)) {
      if (Files.isDirectory(records.resolve(uplink))) {
        new UplinkForwarding(uplink, records).release(link);
      }
    }
    HostFiles.deleteIfEmpty(records);
  }

  /**
   * Sees to it that answers are forwarded to an installation's link. Idempotent.
   *
   * @throws QuickstartException when the host refuses
   */
  void require(String link) {
    locked(
        () -> {
          if (HostFiles.names(users).isEmpty() && isOn()) {
            return;
          }
          Files.createDirectories(users);
          Files.writeString(users.resolve(link), "");
          restrict();
          set("1");
        });
  }

  private void release(String link) {
    Change release =
        () -> {
          if (!Files.deleteIfExists(users.resolve(link))) {
            return;
          }
          if (HostFiles.names(users).isEmpty()) {
            Shell.run("sysctl", "-qw", setting() + "=0");
            Shell.run("nft", "delete", "table", "ip", table());
            Files.delete(users);
          } else {
            restrict();
          }
        };
    if (Files.exists(Path.of("/proc/sys", setting()))) {
      locked(release);
    } else {
      unlocked(release); // The uplink is gone, and its setting with it.
    }
  }

  /** Keeps a host that did not forward from becoming a router for its neighbours. */
  private void restrict() {
    String links =
        HostFiles.names(users).stream()
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
    Shell.require(List.of("nft", "-f", "-"), rules);
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

  @FunctionalInterface
  private interface Change {
    void make() throws IOException;
  }

  /**
   * One installation at a time; the lock is on the setting itself, so that there is no other file
   * which would have to stay.
   */
  private void locked(Change change) {
    unlocked(
        () -> {
          try (FileChannel lock =
              FileChannel.open(Path.of("/proc/sys", setting()), StandardOpenOption.WRITE)) {
            var _ = lock.lock();
            change.make();
          }
        });
  }

  private void unlocked(Change change) {
    try {
      change.make();
    } catch (IOException e) {
      throw new QuickstartException("cannot change " + users + ": " + e.getMessage(), e);
    }
  }
}
