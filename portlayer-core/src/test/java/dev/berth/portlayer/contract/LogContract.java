package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class LogContract {
  private static final LogRequest FOLLOW =
      new LogRequest(
          OptionalInt.empty(), true, Optional.empty(), OptionalLong.empty(), Optional.empty());

  private final Fixture fixture;

  LogContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("both streams are there, told apart, each in its order")
  void streams() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.shell("echo one; echo two >&2; echo three"));
    assertEquals(List.of("one", "three"), guest.lines(only(LogLine.Stream.STDOUT)));
    assertEquals(List.of("two"), guest.lines(only(LogLine.Stream.STDERR)));
    assertEquals(3, guest.lines().size());
  }

  @Test
  @DisplayName("a last line without its end is partial")
  void partial() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("echo", "-n", "no end"));
    LogLine line = guest.entries(LogRequest.all()).getFirst();
    assertTrue(line.partial());
    assertEquals("no end", new String(line.content(), StandardCharsets.UTF_8));
  }

  @Test
  @DisplayName("each attempt has its own log; the last is the default")
  void attempts() {
    Guest guest = fixture.guest();
    int first = guest.run(ProcessSpecs.of("echo", "first")).attempt();
    int second = guest.run(ProcessSpecs.of("echo", "second")).attempt();
    assertEquals(List.of("second"), guest.lines());
    assertEquals(List.of("first"), guest.lines(Guest.attempt(first)));
    assertEquals(List.of("second"), guest.lines(Guest.attempt(second)));
  }

  @Test
  @DisplayName("an attempt or containerVM that is not there is NOT_FOUND")
  void missing() {
    Guest guest = fixture.guest();
    int attempt = guest.run(ProcessSpecs.of("true")).attempt();
    assertRefused(Code.NOT_FOUND, () -> guest.lines(Guest.attempt(attempt + 1)));
    assertRefused(Code.NOT_FOUND, () -> fixture.interaction().logs("no-such-vm", LogRequest.all()));
  }

  @Test
  @DisplayName("the tail is the last lines, all of them when there are fewer, none for 0")
  void tail() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("seq", "1", "20000"));
    assertEquals(List.of("19999", "20000"), guest.lines(tail(2)));
    assertEquals(20000, guest.lines(tail(50_000)).size());
    assertEquals(List.of(), guest.lines(tail(0)));
  }

  @Test
  @DisplayName("nothing is lost or reordered in much output")
  void complete() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("seq", "1", "50000"));
    assertEquals(
        IntStream.rangeClosed(1, 50_000).mapToObj(Integer::toString).toList(), guest.lines());
  }

  @Test
  @DisplayName("since gives lines at or after a time")
  void since() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.shell("echo old; sleep 1; echo new"));
    List<LogLine> all = guest.entries(LogRequest.all());
    assertEquals(List.of("new"), guest.lines(since(all.getLast().time())));
    assertEquals(List.of("old", "new"), guest.lines(since(all.getFirst().time())));
    assertEquals(List.of(), guest.lines(since(all.getLast().time().plusSeconds(60))));
  }

  @Test
  @DisplayName("following gives lines as they come and ends with the attempt")
  void follow() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.shell("echo first; read line; echo $line").withStdin());
    try (LogReader reader = fixture.interaction().logs(guest.id(), FOLLOW)) {
      assertEquals("first", content(reader.next(fixture.patience())));
      assertNull(reader.next(Duration.ofMillis(50)));
      assertFalse(reader.ended());
      fixture.compute().stopProcess(guest.id(), Duration.ZERO);
      assertEquals(List.of(), guest.drain(reader));
      assertTrue(reader.ended());
    }
  }

  @Test
  @DisplayName("without following, reading a running process's log ends with what is there")
  void noFollow() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.shell("echo there; sleep 600"));
    guest.awaitLine("there");
    assertEquals(List.of("there"), guest.lines());
  }

  @Test
  @DisplayName("the log of a containerVM that is powered off can be read")
  void poweredOff() {
    Guest guest = fixture.guest();
    guest.run(ProcessSpecs.of("echo", "still here"));
    fixture.compute().powerOff(guest.groupId(), Duration.ZERO);
    assertEquals(List.of("still here"), guest.lines());
  }

  private static String content(@Nullable LogLine line) {
    assertNotNull(line);
    return new String(line.content(), StandardCharsets.UTF_8);
  }

  private static LogRequest only(LogLine.Stream stream) {
    return new LogRequest(
        OptionalInt.empty(), false, Optional.empty(), OptionalLong.empty(), Optional.of(stream));
  }

  private static LogRequest tail(long lines) {
    return new LogRequest(
        OptionalInt.empty(), false, Optional.empty(), OptionalLong.of(lines), Optional.empty());
  }

  private static LogRequest since(Instant time) {
    return new LogRequest(
        OptionalInt.empty(), false, Optional.of(time), OptionalLong.empty(), Optional.empty());
  }
}
