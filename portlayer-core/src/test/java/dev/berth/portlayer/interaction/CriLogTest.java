package dev.berth.portlayer.interaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The reader of CRI logs")
class CriLogTest {
  private static final String TIME = "2026-01-02T03:04:05.000000006Z";

  private final GrowingLog log = new GrowingLog();

  @Test
  @DisplayName("reads times, streams, tags and content")
  void lines() {
    log.append(
        "%s berth F attempt 0\n%s stdout F a b\n%s stderr P c\n".formatted(TIME, TIME, TIME));
    log.over(0);
    List<LogLine> lines = drain(LogRequest.all());
    assertEquals(Instant.parse(TIME), lines.getFirst().time());
    assertEquals("a b", text(lines.getFirst()));
    assertEquals(LogLine.Stream.STDERR, lines.getLast().stream());
    assertTrue(lines.getLast().partial());
  }

  @Test
  @DisplayName("knows times with any fraction and any offset")
  void times() {
    log.append(
        "%s berth F attempt 0\n2026-01-02T03:04:05Z stdout F a\n2026-01-02T05:04:05.25+02:00 stdout F b\n"
            .formatted(TIME));
    log.over(0);
    List<LogLine> lines = drain(LogRequest.all());
    assertEquals(Instant.parse("2026-01-02T03:04:05Z"), lines.getFirst().time());
    assertEquals(Instant.parse("2026-01-02T03:04:05.25Z"), lines.getLast().time());
  }

  @Test
  @DisplayName("leaves a line without its end to its writer, and gives it once the attempt is over")
  void torn() {
    log.append(
        "%s berth F attempt 0\n%s stdout F whole\n%s stdout F to".formatted(TIME, TIME, TIME));
    log.running(0);
    assertEquals(List.of("whole"), texts(drain(LogRequest.all())));
    log.over(0);
    assertEquals(List.of("whole", "to"), texts(drain(LogRequest.all())));
    assertTrue(drain(LogRequest.all()).getLast().partial());
    assertEquals(List.of("to"), texts(drain(tail(1))));
  }

  @Test
  @DisplayName("skips a line that the loss of a VM tore off")
  void tornBeforeNextAttempt() {
    log.append(
        "%s berth F attempt 0\n%s stdout F whole\n2026-01-0\n%s berth F attempt 1\n%s stdout F next\n"
            .formatted(TIME, TIME, TIME, TIME));
    log.over(1);
    assertEquals(List.of("whole"), texts(drain(attempt(0))));
    assertEquals(List.of("next"), texts(drain(LogRequest.all())));
  }

  @Test
  @DisplayName("begins with the oldest line that is there when older ones are gone")
  void beginningGone() {
    log.append(
        "%1$s berth F attempt 0\n%1$s stdout F a0\n%1$s stdout F b0\n%1$s berth F attempt 1\n%1$s stdout F a1\n%1$s stdout F b1\n"
            .formatted(TIME));
    log.over(1);
    log.forgetBefore("b0");
    assertEquals(List.of("b0"), texts(drain(attempt(0))));
    assertEquals(List.of("a1", "b1"), texts(drain(attempt(1))));
    log.forgetBefore("b1");
    assertEquals(List.of("b1"), texts(drain(LogRequest.all())));
    assertEquals(List.of("b1"), texts(drain(tail(7))));
    assertEquals(
        PortLayerException.Code.NOT_FOUND,
        assertThrows(PortLayerException.class, () -> drain(attempt(0))).code());
  }

  @Test
  @DisplayName("goes on with the oldest line that is there when what it was to read next is gone")
  void goneWhileRead() {
    String text = "x".repeat(300_000);
    log.append(
        "%1$s berth F attempt 0\n%1$s stdout F first\n%1$s stdout F %2$s\n%1$s stdout F %2$s\n%1$s stdout F last\n"
            .formatted(TIME, text));
    log.over(0);
    try (LogReader reader = CriLog.open(log, LogRequest.all(), log)) {
      assertEquals("first", text(Objects.requireNonNull(reader.next(Duration.ZERO))));
      log.forgetBefore("last");
      assertEquals("last", text(Objects.requireNonNull(reader.next(Duration.ZERO))));
    }
  }

  @Test
  @DisplayName("says that a log is corrupt when it is")
  void corrupt() {
    log.append("%s berth F attempt 0\nnonsense\n%s stdout F a\n".formatted(TIME, TIME));
    log.over(0);
    PortLayerException failure =
        assertThrows(PortLayerException.class, () -> drain(LogRequest.all()));
    assertEquals(PortLayerException.Code.CORRUPT, failure.code());
  }

  @Test
  @DisplayName("waits for the first line of an attempt that has just started")
  void attemptNotWrittenYet() {
    log.append("%s berth F attempt 0\n%s stdout F old\n".formatted(TIME, TIME));
    log.running(1);
    try (LogReader reader = CriLog.open(log, follow(), log)) {
      assertEquals(null, reader.next(Duration.ofMillis(10)));
      log.append(
          "%s stdout F older\n%s berth F attempt 1\n%s stdout F new\n".formatted(TIME, TIME, TIME));
      assertEquals("new", text(Objects.requireNonNull(reader.next(Duration.ofSeconds(5)))));
    }
  }

  @Test
  @DisplayName("ends a followed attempt where the next one begins")
  void followEndsAtNextAttempt() {
    log.append("%s berth F attempt 0\n%s stdout F a\n".formatted(TIME, TIME));
    log.running(0);
    try (LogReader reader = CriLog.open(log, follow(), log)) {
      assertEquals("a", text(Objects.requireNonNull(reader.next(Duration.ofSeconds(5)))));
      log.append("%s berth F attempt 1\n%s stdout F b\n".formatted(TIME, TIME));
      assertEquals(null, reader.next(Duration.ofSeconds(5)));
      assertTrue(reader.ended());
    }
  }

  @Test
  @DisplayName("refuses an attempt that never was")
  void noSuchAttempt() {
    assertEquals(
        PortLayerException.Code.NOT_FOUND,
        assertThrows(PortLayerException.class, () -> drain(LogRequest.all())).code());
    log.append("%s berth F attempt 3\n".formatted(TIME));
    log.over(3);
    assertEquals(
        PortLayerException.Code.NOT_FOUND,
        assertThrows(PortLayerException.class, () -> drain(attempt(2))).code());
  }

  @Test
  @DisplayName("counts whole lines for a tail, each with its partial beginnings")
  void tailOfPartialLines() {
    log.append(
        "%1$s berth F attempt 0\n%1$s stdout F a\n%1$s stdout P b\n%1$s stdout F c\n%1$s stdout F d\n"
            .formatted(TIME));
    log.over(0);
    assertEquals(List.of("b", "c", "d"), texts(drain(tail(2))));
    assertEquals(List.of("a", "b", "c", "d"), texts(drain(tail(9))));
    assertEquals(List.of(), texts(drain(tail(0))));
  }

  private List<LogLine> drain(LogRequest request) {
    List<LogLine> lines = new ArrayList<>();
    try (LogReader reader = CriLog.open(log, request, log)) {
      while (!reader.ended()) {
        LogLine line = reader.next(Duration.ofSeconds(5));
        if (line != null) {
          lines.add(line);
        }
      }
    }
    return lines;
  }

  private static List<String> texts(List<LogLine> lines) {
    return lines.stream().map(CriLogTest::text).toList();
  }

  private static String text(LogLine line) {
    return new String(line.content(), StandardCharsets.UTF_8);
  }

  private static LogRequest tail(long lines) {
    return new LogRequest(
        OptionalInt.empty(), false, Optional.empty(), OptionalLong.of(lines), Optional.empty());
  }

  private static LogRequest attempt(int number) {
    return new LogRequest(
        OptionalInt.of(number), false, Optional.empty(), OptionalLong.empty(), Optional.empty());
  }

  private static LogRequest follow() {
    return new LogRequest(
        OptionalInt.empty(), true, Optional.empty(), OptionalLong.empty(), Optional.empty());
  }
}
