package dev.berth.portlayer.interaction;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.util.OptionalInt;

/**
 * Reads the log that a tether writes: lines in the CRI format, each attempt's preceded by {@code
 * <time> berth F attempt <number>}.
 *
 * <p>A last line without its end belongs to a writer that has not finished it; it is read once it
 * has its end, or once its attempt is over. A backend that appends to the log of a VM that was lost
 * in the middle of a line must write a line's end first.
 */
public final class CriLog {
  private CriLog() {}

  /** What a backend knows about a containerVM's attempts from elsewhere than the log. */
  public interface Attempts {
    /** The attempt that started last; empty when none ever did. */
    OptionalInt last();

    /**
     * Whether an attempt is over, and everything it wrote is in the log. Once true it stays true.
     */
    boolean isOver(int attempt);
  }

  /**
   * Opens a log.
   *
   * @param source closed with the reader, and when this method fails
   * @throws PortLayerException NOT_FOUND when the attempt asked for did not start or is not in the
   *     log
   */
  public static LogReader open(LogSource source, LogRequest request, Attempts attempts) {
    try {
      return openAttempt(source, request, attempts);
    } catch (RuntimeException | Error e) {
      source.close();
      throw e;
    }
  }

  private static LogReader openAttempt(LogSource source, LogRequest request, Attempts attempts) {
    OptionalInt last = attempts.last();
    if (last.isEmpty()) {
      throw new PortLayerException(Code.NOT_FOUND, "the container has not started yet");
    }
    int wanted = request.attempt().orElse(last.getAsInt());
    boolean over = attempts.isOver(wanted);
    AttemptRange range = AttemptRange.find(source, wanted, last.getAsInt(), over, request);
    if (!range.found() && wanted != last.getAsInt()) {
      throw new PortLayerException(
          Code.NOT_FOUND, "the log holds nothing of attempt %d".formatted(wanted));
    }
    return new CriLogReader(
        source, request, wanted, range, over ? attempt -> true : attempts::isOver);
  }
}
