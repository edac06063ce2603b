package dev.berth.portlayer.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The reader of a state port")
class StateLogTest {
  private static final Instant STARTED = Instant.parse("2026-01-02T03:04:05Z");
  private static final Instant FINISHED = Instant.parse("2026-01-02T03:05:05.5Z");
  private static final Instant LOST = Instant.parse("2026-01-02T04:00:00Z");
  private static final String READY =
      "{\"sequence\":1,\"bootId\":\"a\",\"phase\":\"READY\",\"attempt\":0}\n";
  private static final String RUNNING =
      "{\"sequence\":2,\"bootId\":\"a\",\"phase\":\"RUNNING\",\"attempt\":0,\"startedAt\":\"2026-01-02T03:04:05Z\"}\n";
  private static final String EXITED =
      "{\"sequence\":3,\"bootId\":\"a\",\"phase\":\"EXITED\",\"attempt\":0,\"startedAt\":\"2026-01-02T03:04:05Z\",\"finishedAt\":\"2026-01-02T03:05:05.5Z\",\"exitCode\":3,\"reason\":\"Error\",\"message\":\"oh\"}\n";
  private static final String NEXT =
      "{\"sequence\":4,\"bootId\":\"a\",\"phase\":\"RUNNING\",\"attempt\":1,\"startedAt\":\"2026-01-02T03:06:05Z\"}\n";
  private static final String REBOOTED = READY.replace("\"a\"", "\"b\"");
  private static final Exited END = new Exited(0, STARTED, FINISHED, 3, 0, Reason.ERROR, "oh");

  private final StateLog log = new StateLog(bootId -> LOST);

  @Test
  @DisplayName("tells nothing before the first boot")
  void empty() {
    StateLog.Observation observed = log.observe(PowerState.ON);
    assertFalse(observed.ready());
    assertEquals(new NotStarted(), observed.process());
  }

  @Test
  @DisplayName("takes a guest that gave up in its boot for no attempt that ended")
  void gaveUp() {
    append(
        "{\"sequence\":1,\"bootId\":\"a\",\"phase\":\"EXITED\",\"attempt\":0,\"exitCode\":128,\"reason\":\"StartError\",\"message\":\"the containerVM cannot go on\"}\n");
    assertFalse(log.observe(PowerState.ON).ready());
    assertEquals(new NotStarted(), log.observe(PowerState.OFF).process());
  }

  @Test
  @DisplayName("follows a process from ready to its end and the next attempt")
  void life() {
    append(READY);
    assertTrue(log.observe(PowerState.ON).ready());
    assertEquals("a", log.observe(PowerState.ON).bootId());
    append(RUNNING);
    assertEquals(new Running(0, STARTED), log.observe(PowerState.ON).process());
    append(EXITED);
    assertEquals(END, log.observe(PowerState.ON).process());
    append(NEXT);
    assertEquals(List.of(END), log.observe(PowerState.ON).history());
  }

  @Test
  @DisplayName("takes a process that ran in a VM that is off now for lost")
  void lost() {
    append(READY + RUNNING);
    StateLog.Observation observed = log.observe(PowerState.OFF);
    assertEquals(new Exited(0, STARTED, LOST, 137, 0, Reason.VM_LOST, ""), observed.process());
    assertFalse(observed.ready());
  }

  @Test
  @DisplayName("takes a process of an earlier boot for lost")
  void lostBeforeReboot() {
    append(READY + RUNNING + REBOOTED);
    StateLog.Observation observed = log.observe(PowerState.ON);
    assertEquals(new Exited(0, STARTED, LOST, 137, 0, Reason.VM_LOST, ""), observed.process());
    assertTrue(observed.ready());
    assertEquals("b", observed.bootId());
  }

  @Test
  @DisplayName("gives a process that could not be started one time for start and end")
  void startError() {
    append(
        READY
            + EXITED
                .replace("\"startedAt\":\"2026-01-02T03:04:05Z\",", "")
                .replace("\"Error\"", "\"StartError\""));
    Exited exited = (Exited) log.observe(PowerState.ON).process();
    assertEquals(Reason.START_ERROR, exited.reason());
    assertEquals(exited.finishedAt(), exited.startedAt());
  }

  @Test
  @DisplayName("forgives a line that the loss of a VM tore off, with its end or without")
  void torn() {
    append(READY + RUNNING + EXITED.substring(0, 30) + "\n" + REBOOTED);
    assertEquals("b", log.observe(PowerState.ON).bootId());
    append(NEXT.replace("\"a\"", "\"b\"").substring(0, 20) + READY.replace("\"a\"", "\"c\""));
    assertEquals("c", log.observe(PowerState.ON).bootId());
  }

  @Test
  @DisplayName("says that a state is corrupt when a boot goes on after nonsense")
  void corrupt() {
    PortLayerException failure =
        assertThrows(PortLayerException.class, () -> append(READY + "nonsense\n" + RUNNING));
    assertEquals(PortLayerException.Code.CORRUPT, failure.code());
  }

  @Test
  @DisplayName("tells the same in whatever pieces the lines come")
  void pieces() {
    byte[] whole = (READY + RUNNING + EXITED + NEXT).getBytes(StandardCharsets.UTF_8);
    for (int piece = 1; piece <= whole.length; piece++) {
      StateLog pieces = new StateLog(bootId -> LOST);
      for (int from = 0; from < whole.length; from += piece) {
        pieces.append(whole, from, Math.min(piece, whole.length - from));
      }
      assertEquals(List.of(END), pieces.observe(PowerState.ON).history(), "pieces of " + piece);
    }
  }

  private void append(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    log.append(bytes, 0, bytes.length);
  }
}
