package dev.berth.portlayer.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a containerVM's state port has told so far: JSON lines, the last of which may be torn
 * because its writer is in the middle of it or was cut off. Bytes are given piece by piece as they
 * appear. Used by one thread at a time.
 */
public final class StateLog {
  private static final int HISTORY = 10;

  /** A line holds a message of 4 KiB; even with every byte escaped it is far below. */
  private static final int LONGEST_LINE = 256 * 1024;

  private static final String LINE_START = "{\"sequence\":";

  private final Losses losses;
  private final List<Exited> history = new ArrayList<>();
  private byte[] rest = new byte[0];
  private ProcessState process = new ProcessState.NotStarted();
  private String bootId = "";
  private boolean ready;
  private boolean malformed;

  /** Knows when VMs went away, which their guests cannot tell. */
  public interface Losses {
    /**
     * When the VM went away that had this boot. Asked for a boot during which a process ran and
     * whose VM is off or has booted again.
     */
    Instant lostAt(String bootId);
  }

  /**
   * What the lines come to.
   *
   * @param ready whether the boot told of last has its disks and network and takes a process
   * @param bootId of the boot told of last; empty before the first
   * @param process the last attempt
   * @param history earlier attempts that ended, oldest first; the last ten
   */
  public record Observation(
      boolean ready, String bootId, ProcessState process, List<Exited> history) {
    public Observation {
      history = List.copyOf(history);
    }
  }

  public StateLog(Losses losses) {
    this.losses = losses;
  }

  /**
   * Takes the bytes that follow those given before.
   *
   * @throws PortLayerException CORRUPT when a whole line is not what a tether writes, and it is not
   *     the last one of a boot either, which may be torn
   */
  public void append(byte[] bytes, int offset, int length) {
    byte[] joined = Arrays.copyOf(rest, rest.length + length);
    System.arraycopy(bytes, offset, joined, rest.length, length);
    int from = 0;
    for (int i = rest.length; i < joined.length; i++) {
      if (joined[i] == '\n') {
        line(new String(joined, from, i - from, StandardCharsets.UTF_8));
        from = i + 1;
      }
    }
    rest = Arrays.copyOfRange(joined, from, joined.length);
    if (rest.length > LONGEST_LINE) {
      throw new PortLayerException(Code.CORRUPT, "a line of the state is longer than 256 KiB");
    }
  }

  /**
   * What was told, by a VM whose power is known. A process that ran in a VM that is off now has
   * exited with {@link Reason#VM_LOST}.
   */
  public Observation observe(PowerState power) {
    return power == PowerState.ON
        ? new Observation(ready, bootId, process, history)
        : new Observation(false, bootId, lost(process), history);
  }

  private void line(String text) {
    Optional<GuestReport> parsed = GuestReport.parse(text);
    if (parsed.isEmpty() && text.lastIndexOf(LINE_START) > 0) {
      // A line torn by the loss of a VM, and behind it the first line of the next boot.
      parsed = GuestReport.parse(text.substring(text.lastIndexOf(LINE_START)));
    }
    boolean sameBoot = parsed.map(report -> report.bootId().equals(bootId)).orElse(true);
    if (malformed && sameBoot) {
      throw new PortLayerException(
          Code.CORRUPT, "the state of boot %s has a line that is no state".formatted(bootId));
    }
    malformed = parsed.isEmpty() && !text.isEmpty();
    parsed.ifPresent(this::apply);
  }

  private void apply(GuestReport report) {
    if (!report.bootId().equals(bootId)) {
      process = lost(process);
      bootId = report.bootId();
    }
    ready = report.ready();
    report.process().ifPresent(this::next);
  }

  private void next(ProcessState state) {
    if (process instanceof Exited before && !isAttempt(state, before.attempt())) {
      history.add(before);
      if (history.size() > HISTORY) {
        history.removeFirst();
      }
    }
    process = state;
  }

  private static boolean isAttempt(ProcessState state, int attempt) {
    return switch (state) {
      case ProcessState.NotStarted() -> false;
      case Running running -> running.attempt() == attempt;
      case Exited exited -> exited.attempt() == attempt;
    };
  }

  private ProcessState lost(ProcessState state) {
    if (!(state instanceof Running running)) {
      return state;
    }
    Instant lostAt = losses.lostAt(bootId);
    Instant end = lostAt.isBefore(running.startedAt()) ? running.startedAt() : lostAt;
    return new Exited(running.attempt(), running.startedAt(), end, 137, 0, Reason.VM_LOST, "");
  }
}
