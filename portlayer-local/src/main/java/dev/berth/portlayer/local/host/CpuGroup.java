package dev.berth.portlayer.local.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits how much processor time one QEMU takes, by a control group of its own. On a host without a
 * CPU controller that may be used (a version 2 hierarchy that delegates none), a containerVM has
 * its number of virtual CPUs as its only limit.
 */
public final class CpuGroup {
  private static final Logger LOG = LoggerFactory.getLogger(CpuGroup.class);
  private static final long PERIOD_MICROSECONDS = 100_000;

  private final Optional<Path> controller;
  private final boolean unified;
  private final String name;

  /**
   * @param name of the VCH, unique on the host
   */
  public CpuGroup(Path cgroups, String name) {
    this.name = "berth-" + name;
    Path classic = cgroups.resolve("cpu");
    this.unified = !Files.exists(classic.resolve("cpu.cfs_quota_us"));
    if (!unified) {
      this.controller = Optional.of(classic);
    } else {
      this.controller = delegated(cgroups) ? Optional.of(cgroups) : Optional.empty();
    }
  }

  /** Whether limits take effect on this host. */
  public boolean available() {
    return controller.isPresent();
  }

  /** Puts a process under a limit in thousandths of a CPU. */
  public void limit(String vm, long pid, int cpuMillis) {
    if (cpuMillis == 0 || controller.isEmpty()) {
      return;
    }
    long quota = Math.max(1000, cpuMillis * PERIOD_MICROSECONDS / 1000);
    try {
      Path group = Files.createDirectories(group(controller.get(), vm));
      if (unified) {
        Files.writeString(controller.get().resolve(name).resolve("cgroup.subtree_control"), "+cpu");
        Files.writeString(group.resolve("cpu.max"), quota + " " + PERIOD_MICROSECONDS);
      } else {
        Files.writeString(group.resolve("cpu.cfs_period_us"), Long.toString(PERIOD_MICROSECONDS));
        Files.writeString(group.resolve("cpu.cfs_quota_us"), Long.toString(quota));
      }
      Files.writeString(group.resolve("cgroup.procs"), Long.toString(pid));
    } catch (IOException e) {
      LOG.warn("containerVM {} runs without its CPU limit: {}", vm, e.toString());
    }
  }

  /** Forgets a VM's group once its process is gone. Idempotent. */
  public void remove(String vm) {
    controller.ifPresent(root -> removeGroup(group(root, vm)));
  }

  /** Forgets the VCH's group. Idempotent. */
  public void removeAll() {
    controller.ifPresent(root -> removeGroup(root.resolve(name)));
  }

  private Path group(Path root, String vm) {
    return root.resolve(name).resolve(vm);
  }

  private static void removeGroup(Path group) {
    try {
      Files.deleteIfExists(group);
    } catch (IOException e) {
      LOG.warn("control group {} stays: {}", group, e.toString());
    }
  }

  private static boolean delegated(Path cgroups) {
    try {
      return Files.readString(cgroups.resolve("cgroup.subtree_control")).contains("cpu");
    } catch (IOException e) {
      return false;
    }
  }
}
