package dev.berth.e2e;

import java.util.Locale;

/** What runs the containerVMs of a run's installations: {@code -Dberth.e2e.backend=vsphere}. */
enum Backend {
  /** QEMU on this machine. */
  LOCAL,
  /** The vCenter lab. */
  VSPHERE;

  static final Backend CHOSEN =
      valueOf(System.getProperty("berth.e2e.backend", "local").toUpperCase(Locale.ROOT));

  /** As {@code ./quickstart --backend} takes it. */
  String option() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * How much a test carries, which is the same test with more or less of it.
   *
   * @param logLines lines of some 100 bytes that one container writes
   * @param streamBytes through {@code kubectl exec}, either way
   * @param copyBytes of a file for {@code kubectl cp}
   * @param pods at once
   */
  record Load(int logLines, int streamBytes, int copyBytes, int pods) {}

  /**
   * The lab's serial ports are emulated: on two busy cores some 250 KB of log go out a second. What
   * goes over the control network is not held up by them. Its VMs boot through BIOS and CD-ROM, in
   * some six seconds each.
   */
  Load load() {
    return switch (this) {
      case LOCAL -> new Load(1_000_000, 50_000_000, 3_000_000, 50);
      case VSPHERE -> new Load(100_000, 5_000_000, 3_000_000, 16);
    };
  }
}
