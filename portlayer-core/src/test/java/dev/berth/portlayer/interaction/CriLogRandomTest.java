package dev.berth.portlayer.interaction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/** What holds for every log, however it is cut into reads. */
class CriLogPropertyTest {
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  @Property(tries = 200)
  void everyLineComesBackFromItsAttempt(
      @ForAll @Size(max = 4) List<@Size(max = 30) List<@AlphaChars @StringLength(max = 60) String>> attempts,
      @ForAll @IntRange(min = 1, max = 200) int piece) {
    GrowingLog log = write(attempts, piece);
    for (int attempt = 0; attempt < attempts.size(); attempt++) {
      assertEquals(attempts.get(attempt), read(log, attempt, OptionalLong.empty()));
    }
  }

  @Property(tries = 200)
  void theTailIsTheEndOfTheWhole(
      @ForAll @Size(min = 1, max = 3) List<@Size(max = 30) List<@AlphaChars @StringLength(max = 60) String>> attempts,
      @ForAll @IntRange(min = 0, max = 40) int tail,
      @ForAll @IntRange(min = 1, max = 200) int piece) {
    GrowingLog log = write(attempts, piece);
    for (int attempt = 0; attempt < attempts.size(); attempt++) {
      List<String> whole = attempts.get(attempt);
      List<String> end = whole.subList(Math.max(0, whole.size() - tail), whole.size());
      assertEquals(end, read(log, attempt, OptionalLong.of(tail)));
    }
  }

  @Property(tries = 100)
  void followingAWriterGivesTheSameAsReadingAfterwards(
      @ForAll @Size(max = 30) List<@AlphaChars @StringLength(max = 60) String> lines,
      @ForAll @IntRange(min = 1, max = 50) int written) {
    byte[] whole = bytes(List.of(lines));
    GrowingLog log = new GrowingLog();
    log.running(0);
    List<String> read = new ArrayList<>();
    LogRequest follow =
        new LogRequest(
            OptionalInt.empty(), true, Optional.empty(), OptionalLong.empty(), Optional.empty());
    try (LogReader reader = CriLog.open(log, follow, log)) {
      for (int from = 0; from < whole.length; from += written) {
        int to = Math.min(whole.length, from + written);
        log.append(Arrays.copyOfRange(whole, from, to));
        drain(reader, read);
      }
      log.over(0);
      drain(reader, read);
      assertEquals(true, reader.ended());
    }
    assertEquals(lines, read);
  }

  private static List<String> read(GrowingLog log, int attempt, OptionalLong tail) {
    LogRequest request =
        new LogRequest(OptionalInt.of(attempt), false, Optional.empty(), tail, Optional.empty());
    List<String> read = new ArrayList<>();
    try (LogReader reader = CriLog.open(log, request, log)) {
      drain(reader, read);
    }
    return read;
  }

  private static void drain(LogReader reader, List<String> into) {
    LogLine line;
    while ((line = reader.next(Duration.ZERO)) != null) {
      into.add(new String(line.content(), StandardCharsets.UTF_8));
    }
  }

  private static GrowingLog write(List<List<String>> attempts, int piece) {
    GrowingLog log = new GrowingLog(piece);
    log.append(bytes(attempts));
    if (!attempts.isEmpty()) {
      log.over(attempts.size() - 1);
    }
    return log;
  }

  private static byte[] bytes(List<List<String>> attempts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int number = 0;
    for (List<String> lines : attempts) {
      add(bytes, "berth F attempt " + number++);
      lines.forEach(line -> add(bytes, "stdout F " + line));
    }
    return bytes.toByteArray();
  }

  private static void add(ByteArrayOutputStream bytes, String text) {
    bytes.writeBytes((START + " " + text + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
