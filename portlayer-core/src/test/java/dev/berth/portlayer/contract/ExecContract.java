package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class ExecContract {
  private static final int LARGE = 3_000_000;

  private final Fixture fixture;
  private Guest guest;

  ExecContract(Fixture fixture) {
    this.fixture = fixture;
    this.guest = fixture.guest();
  }

  @BeforeEach
  void startProcess() {
    guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600").withEnvironment("GREETING=hello"));
  }

  @Test
  @DisplayName("exit codes come through")
  void exitCodes() {
    assertEquals(0, guest.exec("", "true").code());
    assertEquals(1, guest.exec("", "false").code());
    assertEquals(42, guest.exec("", "sh", "-c", "exit 42").code());
  }

  @Test
  @DisplayName("a command that is not found gives 127 and the reason")
  void commandNotFound() {
    Guest.Result result = guest.exec("", "no-such-command");
    assertEquals(127, result.code());
    assertTrue(result.message().contains("no-such-command"), result.message());
  }

  @Test
  @DisplayName("stdout and stderr are apart")
  void outputs() {
    Guest.Result result = guest.exec("", "sh", "-c", "echo out; echo err >&2");
    assertEquals("out\n", result.stdout());
    assertEquals("err\n", result.stderr());
  }

  @Test
  @DisplayName("it has the environment of the container's process")
  void environment() {
    assertEquals("hello\n", guest.exec("", "printenv", "GREETING").stdout());
  }

  @Test
  @DisplayName("input goes in, its end is seen, and large input comes back unharmed")
  void input() throws Exception {
    assertEquals("12", guest.exec("hello, there", "wc", "-c").stdout().strip());
    byte[] sent = new byte[LARGE];
    new Random(1).nextBytes(sent);
    ExecSpec spec = new ExecSpec(List.of("cat"), false, true, Optional.empty());
    try (ProcessSession session = fixture.interaction().exec(guest.id(), spec)) {
      Thread writer = Thread.ofVirtual().start(() -> write(session, sent));
      assertArrayEquals(sent, session.stdout().readAllBytes());
      assertEquals(0, session.awaitExit(fixture.patience()).orElseThrow().code());
      writer.join(fixture.patience());
    }
  }

  private static void write(ProcessSession session, byte[] bytes) {
    try (OutputStream stdin = session.stdin()) {
      stdin.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  @DisplayName("without input, writing to it fails and the process sees its end")
  void noInput() {
    ExecSpec spec = new ExecSpec(List.of("cat"), false, false, Optional.empty());
    try (ProcessSession session = fixture.interaction().exec(guest.id(), spec)) {
      assertThrows(
          IOException.class,
          () -> {
            session.stdin().write(new byte[1]);
            session.stdin().flush();
          });
      assertEquals(0, session.awaitExit(fixture.patience()).orElseThrow().code());
    }
  }

  @Test
  @DisplayName("a terminal has the size it was given, and the one it is given later")
  void terminal() throws Exception {
    ExecSpec spec =
        new ExecSpec(
            List.of("sh", "-c", "stty size; read line; stty size"),
            true,
            true,
            Optional.of(new TerminalSize(120, 40)));
    try (ProcessSession session = fixture.interaction().exec(guest.id(), spec)) {
      assertEquals(
          "40 120\r\n", new String(session.stdout().readNBytes(8), StandardCharsets.UTF_8));
      session.resize(new TerminalSize(100, 30));
      session.stdin().write("\n".getBytes(StandardCharsets.UTF_8));
      session.stdin().flush();
      String rest = new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(rest.contains("30 100"), rest);
      assertEquals(0, session.stderr().readAllBytes().length);
      assertEquals(0, session.awaitExit(fixture.patience()).orElseThrow().code());
    }
  }

  @Test
  @DisplayName("waiting for the exit gives up after its timeout")
  void timeout() {
    ExecSpec spec = new ExecSpec(List.of("sleep", "600"), false, false, Optional.empty());
    try (ProcessSession session = fixture.interaction().exec(guest.id(), spec)) {
      assertEquals(Optional.empty(), session.awaitExit(Duration.ofMillis(50)));
      session.close();
      session.close();
    }
  }

  @Test
  @DisplayName("twenty at once have each their own output")
  void many() throws Exception {
    var results = new ConcurrentHashMap<Integer, String>();
    List<Thread> threads =
        IntStream.range(0, 20)
            .mapToObj(
                i ->
                    Thread.ofVirtual()
                        .start(() -> results.put(i, guest.exec("", "echo", "n" + i).stdout())))
            .toList();
    for (Thread thread : threads) {
      assertTrue(thread.join(fixture.patience()));
    }
    for (int i = 0; i < 20; i++) {
      assertEquals("n" + i + "\n", results.get(i));
    }
  }

  @Test
  @DisplayName("it needs a running process: FAILED_PRECONDITION; and a containerVM: NOT_FOUND")
  void refused() {
    fixture.compute().stopProcess(guest.id(), Duration.ZERO);
    assertRefused(Code.FAILED_PRECONDITION, () -> guest.exec("", "true"));
    ExecSpec spec = new ExecSpec(List.of("true"), false, false, Optional.empty());
    assertRefused(Code.NOT_FOUND, () -> fixture.interaction().exec("no-such-vm", spec).close());
  }
}
