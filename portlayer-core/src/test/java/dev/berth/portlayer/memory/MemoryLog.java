package dev.berth.portlayer.memory;

import dev.berth.portlayer.interaction.LogLine.Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;

/** Writes a log as the tether does. Used with the VM's monitor held. */
final class MemoryLog {
  private static final int LONGEST_LINE = 16 * 1024;
  private static final int TAIL_BYTES = 2048;
  private static final int TAIL_LINES = 80;
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder().appendInstant(9).toFormatter();

  private final MemoryLogSource source = new MemoryLogSource();
  private final Map<Stream, ByteArrayOutputStream> unfinished = new EnumMap<>(Stream.class);
  private final Deque<String> tail = new ArrayDeque<>();

  MemoryLogSource source() {
    return source;
  }

  void attempt(int number) {
    tail.clear();
    line("berth", 'F', ("attempt " + number).getBytes(StandardCharsets.US_ASCII));
  }

  void write(Stream stream, byte[] bytes) {
    ByteArrayOutputStream rest =
        unfinished.computeIfAbsent(stream, absent -> new ByteArrayOutputStream());
    int from = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == '\n') {
        rest.write(bytes, from, i - from);
        from = i + 1;
        take(stream, rest, 'F');
      } else if (rest.size() + i - from == LONGEST_LINE) {
        rest.write(bytes, from, i - from);
        from = i;
        take(stream, rest, 'P');
      }
    }
    rest.write(bytes, from, bytes.length - from);
  }

  /** The process is over: a line without its end is written as it is. */
  void flush() {
    unfinished.forEach(
        (stream, rest) -> {
          if (rest.size() > 0) {
            take(stream, rest, 'P');
          }
        });
  }

  /** The end of the attempt's output. */
  String tail() {
    String text = String.join("", tail);
    return text.substring(Math.max(0, text.length() - TAIL_BYTES));
  }

  private void take(Stream stream, ByteArrayOutputStream rest, char tag) {
    byte[] content = rest.toByteArray();
    rest.reset();
    tail.addLast(new String(content, StandardCharsets.UTF_8) + (tag == 'F' ? "\n" : ""));
    if (tail.size() > TAIL_LINES) {
      tail.removeFirst();
    }
    line(stream == Stream.STDOUT ? "stdout" : "stderr", tag, content);
  }

  private void line(String stream, char tag, byte[] content) {
    String head = TIME.format(Instant.now()) + ' ' + stream + ' ' + tag + ' ';
    ByteArrayOutputStream line = new ByteArrayOutputStream(head.length() + content.length + 1);
    line.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
    line.writeBytes(content);
    line.write('\n');
    source.append(line.toByteArray());
  }
}
