package dev.berth.portlayer.interaction;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Reads one attempt's lines forward from where {@link AttemptRange} found them. */
final class CriLogReader implements LogReader {
  private static final int BLOCK = 256 * 1024;

  /** The tether cuts lines at 16 KiB: what is much longer is no log. */
  private static final int LONGEST_LINE = 4 * 1024 * 1024;

  /** How long a source may go without asking again whether the attempt is over. */
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(1);

  private final LogSource source;
  private final LogRequest request;
  private final int attempt;
  private final IntPredicate isOver;

  /** Where to stop reading; the largest number while what is still being written is wanted. */
  private final long limit;

  private final CriLine line = new CriLine();
  private byte[] buffer = new byte[BLOCK];

  /** Offset in the log of {@code buffer[0]}. */
  private long offset;

  private int position;
  private int filled;

  /** Up to where the unread part of the buffer is known to hold no line's end. */
  private int searched;

  private boolean begun;
  private boolean malformed;
  private boolean ended;

  CriLogReader(
      LogSource source, LogRequest request, int attempt, AttemptRange range, IntPredicate isOver) {
    this.source = source;
    this.request = request;
    this.attempt = attempt;
    this.isOver = isOver;
    this.offset = range.start();
    this.begun = range.found();
    this.limit = request.follow() && range.last() ? Long.MAX_VALUE : range.end();
  }

  @Override
  public @Nullable LogLine next(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    boolean longer = true;
    while (!ended) {
      LogLine next = nextBuffered();
      if (next != null) {
        return next;
      }
      if (ended || (longer && fill())) {
        continue;
      }
      // Asked before the last look at the source: what was written before the end is read.
      boolean over = isOver.test(attempt);
      if (fill()) {
        continue;
      }
      if (over || atLimit()) {
        return last(over);
      }
      Duration left = Duration.ofNanos(deadline - System.nanoTime());
      if (!left.isPositive()) {
        return null;
      }
      longer =
          source.awaitGrowth(
              offset + filled, left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT);
    }
    return null;
  }

  @Override
  public boolean ended() {
    return ended;
  }

  @Override
  public void close() {
    ended = true;
    source.close();
  }

  private boolean atLimit() {
    return offset + filled >= limit;
  }

  private @Nullable LogLine nextBuffered() {
    while (!ended) {
      while (searched < filled && buffer[searched] != '\n') {
        searched++;
      }
      if (searched == filled) {
        return null;
      }
      int from = position;
      position = ++searched;
      LogLine wanted = take(from, searched - 1);
      if (wanted != null) {
        return wanted;
      }
    }
    return null;
  }

  private @Nullable LogLine take(int from, int to) {
    CriLine.Kind kind = line.parse(buffer, from, to);
    switch (kind) {
      case ATTEMPT -> {
        // The next attempt follows a line torn by the loss of a VM, and what its kernel said on the
        // same port.
        malformed = false;
        ended = begun && line.attempt() != attempt;
        begun |= line.attempt() == attempt;
      }
      case MALFORMED -> malformed |= to > from;
      case OUTPUT -> {
        failWhenMalformed();
        return begun ? wanted(from) : null;
      }
      case NOTE -> failWhenMalformed();
    }
    return null;
  }

  private void failWhenMalformed() {
    if (malformed) {
      throw corrupt(position);
    }
  }

  private PortLayerException corrupt(int at) {
    return new PortLayerException(
        Code.CORRUPT, "the log is not in the CRI format before byte %d".formatted(offset + at));
  }

  private @Nullable LogLine wanted(int from) {
    if (request.stream().isPresent() && request.stream().get() != line.stream()) {
      return null;
    }
    Instant time;
    try {
      time = line.time();
    } catch (DateTimeException e) {
      throw corrupt(from);
    }
    if (request.since().isPresent() && time.isBefore(request.since().get())) {
      return null;
    }
    return new LogLine(time, line.stream(), line.content(), line.partial());
  }

  /** The end: gives a line that its writer never finished, as a partial one. */
  private @Nullable LogLine last(boolean over) {
    ended = true;
    if (!over || !begun || position == filled) {
      return null;
    }
    if (line.parse(buffer, position, filled) != CriLine.Kind.OUTPUT) {
      return null;
    }
    LogLine torn = wanted(position);
    return torn == null ? null : new LogLine(torn.time(), torn.stream(), torn.content(), true);
  }

  /** Reads more; returns whether there was any. */
  private boolean fill() {
    if (position > 0) {
      System.arraycopy(buffer, position, buffer, 0, filled - position);
      offset += position;
      filled -= position;
      searched -= position;
      position = 0;
    }
    if (filled == buffer.length) {
      if (filled >= LONGEST_LINE) {
        throw corrupt(filled);
      }
      buffer = Arrays.copyOf(buffer, buffer.length * 2);
    }
    int room = Math.clamp(limit - offset - filled, 0, buffer.length - filled);
    int read = room == 0 ? 0 : source.read(offset + filled, ByteBuffer.wrap(buffer, filled, room));
    filled += read;
    return skipped() || read > 0;
  }

  /** Goes on at the oldest line that is there, when what was read or left unread went meanwhile. */
  private boolean skipped() {
    long start = source.start();
    if (start <= offset) {
      return false;
    }
    offset = start;
    position = 0;
    filled = 0;
    searched = 0;
    malformed = false;
    return true;
  }
}
