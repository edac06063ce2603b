package dev.berth.portlayer.interaction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.random.RandomCases;
import dev.berth.portlayer.random.RandomValues;
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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Every log, however it is cut into reads,")
class CriLogRandomTest {
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

  private static List<String> lines(RandomValues values) {
    return values.list(0, 30, () -> values.letters(60));
  }

  @Test
  @DisplayName("gives every line back from its attempt")
  void everyLineComesBackFromItsAttempt() {
    RandomCases.check(
        100,
        values -> checkEveryLine(values.list(0, 4, () -> lines(values)), values.between(1, 200)));
  }

  private static void checkEveryLine(List<List<String>> attempts, int piece) {
    GrowingLog log = write(attempts, piece);
    for (int attempt = 0; attempt < attempts.size(); attempt++) {
      assertEquals(attempts.get(attempt), read(log, attempt, OptionalLong.empty()));
    }
  }

  @Test
  @DisplayName("has a tail that is the end of the whole")
  void theTailIsTheEndOfTheWhole() {
    RandomCases.check(
        100,
        values ->
            checkTail(
                values.list(1, 3, () -> lines(values)),
                values.between(0, 40),
                values.between(1, 200)));
  }

  private static void checkTail(List<List<String>> attempts, int tail, int piece) {
    GrowingLog log = write(attempts, piece);
    for (int attempt = 0; attempt < attempts.size(); attempt++) {
      List<String> whole = attempts.get(attempt);
      List<String> end = whole.subList(Math.max(0, whole.size() - tail), whole.size());
      assertEquals(end, read(log, attempt, OptionalLong.of(tail)));
    }
  }

  @Test
  @DisplayName("gives who follows its writer the same as who reads afterwards")
  void followingAWriterGivesTheSameAsReadingAfterwards() {
    RandomCases.check(50, values -> checkFollowing(lines(values), values.between(1, 50)));
  }

  private static void checkFollowing(List<String> lines, int written) {
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
