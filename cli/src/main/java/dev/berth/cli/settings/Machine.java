package dev.berth.cli.settings;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** What this machine has. */
public final class Machine {
  private Machine() {}

  /** What VMs may use of its memory, in bytes, where nothing else is said: three quarters. */
  public static long memoryForVms() {
    long all =
        ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean machine
            ? machine.getTotalMemorySize()
            : 4L << 30;
    return all / 4 * 3;
  }
}
