package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A network namespace with a name, as iproute2 keeps it: a mount below a directory that is itself
 * made a mount with the first name. Where that was an installation's, it goes with the last name.
 */
final class NamedNamespace {
  private static final Path NAMES = Path.of("/run/netns");

  /** There when the directory of names was not a mount before Berth came. */
  private static final Path MADE = HostFiles.RUN.resolve(".namespaces");

  private final String name;

  NamedNamespace(String name) {
    this.name = name;
  }

  /** Whether there is one, and not only a name without one. */
  boolean exists() {
    return Shell.succeeds("ip", "netns", "pids", name);
  }

  /** Idempotent. */
  void add() {
    if (exists()) {
      return;
    }
    delete();
    if (!Shell.succeeds("mountpoint", "-q", NAMES.toString())) {
      makeRecord();
    }
    Shell.require("ip", "netns", "add", name);
  }

  private static void makeRecord() {
    try {
      Files.createDirectories(MADE);
    } catch (IOException e) {
      throw new QuickstartException("cannot make " + MADE + ": " + e.getMessage(), e);
    }
  }

  /** The processes in it. */
  List<ProcessHandle> processes() {
    return !exists()
        ? List.of()
        : Shell.require("ip", "netns", "pids", name)
            .lines()
            .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid.strip())).stream())
            .toList();
  }

  /** Idempotent; its processes must be gone. */
  void delete() {
    if (Files.exists(NAMES.resolve(name))) {
      Shell.require("ip", "netns", "delete", name);
    }
    if (Files.exists(MADE)
        && HostFiles.names(NAMES).isEmpty()
        && Shell.succeeds("umount", NAMES.toString())) {
      HostFiles.deleteIfEmpty(NAMES);
      HostFiles.deleteIfEmpty(MADE);
    }
  }
}
