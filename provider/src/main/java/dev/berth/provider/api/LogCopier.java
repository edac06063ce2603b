package dev.berth.provider.api;

import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Copies a log to a client as the kubelet prints it. */
final class LogCopier {
  private static final int BUFFER = 64 * 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int NANOSECOND_DIGITS = 9;

  private final LogReader reader;
  private final OutputStream target;
  private final boolean timestamps;
  private final byte[] buffer = new byte[BUFFER];
  private int filled;
  private long remaining;
  private boolean lineBegins = true;
  private long formattedSecond = Long.MIN_VALUE;
  private byte[] formatted = {};

  LogCopier(LogReader reader, OutputStream target, boolean timestamps, OptionalLong limitBytes) {
    this.reader = reader;
    this.target = target;
    this.timestamps = timestamps;
    this.remaining = limitBytes.orElse(Long.MAX_VALUE);
  }

  /**
   * Until the log's end, the limit, or the client has gone. Whatever was read is on its way before
   * it waits for more.
   */
  void copy(BooleanSupplier isClientThere) throws IOException {
    while (remaining > 0 && isClientThere.getAsBoolean()) {
      LogLine line = reader.next(Duration.ZERO);
      if (line == null) {
        flush();
        if (reader.ended()) {
          return;
        }
        line = reader.next(PATIENCE);
      }
      append(line);
    }
    flush();
  }

  private void append(@Nullable LogLine line) throws IOException {
    if (line == null) {
      return;
    }
    if (timestamps && lineBegins) {
      appendTime(line.time());
    }
    append(line.content(), line.content().length);
    if (!line.partial()) {
      append(NEWLINE, 1);
    }
    lineBegins = !line.partial();
  }

  private static final byte[] NEWLINE = {'\n'};

  private void append(byte[] bytes, int length) throws IOException {
    int allowed = (int) Math.min(length, remaining);
    remaining -= allowed;
    for (int done = 0; done < allowed; ) {
      if (filled == BUFFER) {
        flush();
      }
      int count = Math.min(allowed - done, BUFFER - filled);
      System.arraycopy(bytes, done, buffer, filled, count);
      filled += count;
      done += count;
    }
  }

  /** RFC 3339 with nine digits; the part down to the second is the same for many lines. */
  private void appendTime(Instant time) throws IOException {
    if (time.getEpochSecond() != formattedSecond) {
      formattedSecond = time.getEpochSecond();
      formatted =
          (DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.")
                      .format(LocalDateTime.ofInstant(time, ZoneOffset.UTC))
                  + "000000000Z ")
              .getBytes(StandardCharsets.US_ASCII);
    }
    int rest = time.getNano();
    int lastDigit = formatted.length - 3;
    for (int i = 0; i < NANOSECOND_DIGITS; i++) {
      formatted[lastDigit - i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    append(formatted, formatted.length);
  }

  private void flush() throws IOException {
    if (filled > 0) {
      target.write(buffer, 0, filled);
      target.flush();
      filled = 0;
    }
  }
}
