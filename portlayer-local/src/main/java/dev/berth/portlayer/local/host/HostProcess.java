package dev.berth.portlayer.local.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process of this boot of the host, told apart from a later one with the same number by the time
 * it started.
 *
 * @param startTicks clock ticks from the host's boot to the process's start
 * @param hostBoot the identity of the host's boot
 */
public record HostProcess(long pid, long startTicks, String hostBoot) {
  private static final int START_TIME_FIELD = 22;

  /** The process that has this number now. */
  public static Optional<HostProcess> of(long pid) {
    return startTicks(pid).map(ticks -> new HostProcess(pid, ticks, currentBoot()));
  }

  /** Whether this very process still runs. */
  public boolean alive() {
    return hostBoot.equals(currentBoot())
        && startTicks(pid).filter(ticks -> ticks == startTicks).isPresent();
  }

  /** Sends KILL, when it still runs. */
  public void kill() {
    handle().ifPresent(ProcessHandle::destroyForcibly);
  }

  /** Sends TERM, when it still runs. */
  public void terminate() {
    handle().ifPresent(ProcessHandle::destroy);
  }

  /** The words of its command line; empty when it is gone. */
  public String commandLine() {
    return readProc("cmdline").orElse("").replace('\0', ' ');
  }

  /** Resident memory in bytes; 0 when it is gone. */
  public long residentMemory() {
    return readProc("status").stream()
        .flatMap(String::lines)
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
        .findFirst()
        .orElse(0);
  }

  private Optional<ProcessHandle> handle() {
    // The handle remembers the start time too, so nothing can slip in between look and signal.
    Optional<ProcessHandle> handle = ProcessHandle.of(pid);
    return alive() ? handle : Optional.empty();
  }

  private Optional<String> readProc(String file) {
    return alive() ? read(Path.of("/proc", Long.toString(pid), file)) : Optional.empty();
  }

  private static Optional<Long> startTicks(long pid) {
    return read(Path.of("/proc", Long.toString(pid), "stat"))
        // The second field, the program's name in parentheses, may hold blanks.
        .map(stat -> stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1))
        .filter(fields -> !fields[0].equals("Z"))
        .map(fields -> Long.parseLong(fields[START_TIME_FIELD - 3]));
  }

  private static String currentBoot() {
    return read(Path.of("/proc/sys/kernel/random/boot_id")).orElse("").strip();
  }

  private static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
