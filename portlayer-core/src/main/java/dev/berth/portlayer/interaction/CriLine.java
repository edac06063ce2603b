package dev.berth.portlayer.interaction;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.Arrays;

/**
 * One line of a log in the CRI format, {@code <RFC 3339 time> stdout|stderr P|F <content>}, parsed
 * in place. The object is used again for the next line, because a log has millions of them.
 */
final class CriLine {
  /** What a line is. */
  enum Kind {
    OUTPUT,
    /** The line that precedes an attempt's output. */
    ATTEMPT,
    /** Another note of the tether's, which readers skip. */
    NOTE,
    MALFORMED
  }

  private static final byte[] STDOUT = ascii("stdout ");
  private static final byte[] STDERR = ascii("stderr ");
  private static final byte[] BERTH = ascii("berth ");
  private static final byte[] ATTEMPT = ascii("F attempt ");
  private static final int SHORTEST_TIME = "2026-01-01T00:00:00Z".length();

  private byte[] buffer = new byte[0];
  private int start;
  private int timeEnd;
  private int content;
  private int end;
  private LogLine.Stream stream = LogLine.Stream.STDOUT;
  private boolean partial;
  private int attempt;

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Looks at {@code bytes[from..to)}, which excludes the line's end. */
  Kind parse(byte[] bytes, int from, int to) {
    buffer = bytes;
    start = from;
    end = to;
    timeEnd = from;
    while (timeEnd < to && bytes[timeEnd] != ' ') {
      timeEnd++;
    }
    int name = timeEnd + 1;
    if (timeEnd - from < SHORTEST_TIME) {
      return Kind.MALFORMED;
    }
    if (startsWith(STDOUT, name)) {
      return output(LogLine.Stream.STDOUT, name + STDOUT.length);
    }
    if (startsWith(STDERR, name)) {
      return output(LogLine.Stream.STDERR, name + STDERR.length);
    }
    return startsWith(BERTH, name) ? note(name + BERTH.length) : Kind.MALFORMED;
  }

  private Kind output(LogLine.Stream ofStream, int tag) {
    // The format reserves more tags, separated by colons, behind the first.
    content = tag;
    while (content < end && buffer[content] != ' ') {
      content++;
    }
    if (content >= end || (buffer[tag] != 'P' && buffer[tag] != 'F')) {
      return Kind.MALFORMED;
    }
    content++;
    stream = ofStream;
    partial = buffer[tag] == 'P';
    return Kind.OUTPUT;
  }

  private Kind note(int tag) {
    if (!startsWith(ATTEMPT, tag)) {
      return Kind.NOTE;
    }
    int at = tag + ATTEMPT.length;
    int digits = end - at;
    if (digits < 1 || digits > 9) {
      return Kind.MALFORMED;
    }
    attempt = 0;
    for (; at < end; at++) {
      if (buffer[at] < '0' || buffer[at] > '9') {
        return Kind.MALFORMED;
      }
      attempt = attempt * 10 + (buffer[at] - '0');
    }
    return Kind.ATTEMPT;
  }

  private boolean startsWith(byte[] prefix, int at) {
    return at + prefix.length <= end
        && Arrays.equals(buffer, at, at + prefix.length, prefix, 0, prefix.length);
  }

  int attempt() {
    return attempt;
  }

  LogLine.Stream stream() {
    return stream;
  }

  boolean partial() {
    return partial;
  }

  /** A copy of the content. */
  byte[] content() {
    return Arrays.copyOfRange(buffer, content, end);
  }

  /**
   * When the line was written.
   *
   * @throws DateTimeException when that part is no RFC 3339 time
   */
  Instant time() {
    if (buffer[timeEnd - 1] != 'Z') {
      return OffsetDateTime.parse(
              new String(buffer, start, timeEnd - start, StandardCharsets.US_ASCII))
          .toInstant();
    }
    long day = LocalDate.of(number(0, 4), number(5, 7), number(8, 10)).toEpochDay();
    long second = number(11, 13) * 3600L + number(14, 16) * 60L + number(17, 19);
    return Instant.ofEpochSecond(day * 86_400 + second, nanoseconds());
  }

  private long nanoseconds() {
    int from = start + 19;
    int to = timeEnd - 1;
    if (from == to) {
      return 0;
    }
    if (buffer[from] != '.' || to - from > 10) {
      throw new DateTimeException("not an RFC 3339 time");
    }
    long nanoseconds = number(20, to - start);
    for (int digits = to - from - 1; digits < 9; digits++) {
      nanoseconds *= 10;
    }
    return nanoseconds;
  }

  private int number(int from, int to) {
    int value = 0;
    for (int i = start + from; i < start + to; i++) {
      int digit = buffer[i] - '0';
      if (digit < 0 || digit > 9) {
        throw new DateTimeException("not an RFC 3339 time");
      }
      value = value * 10 + digit;
    }
    return value;
  }
}
