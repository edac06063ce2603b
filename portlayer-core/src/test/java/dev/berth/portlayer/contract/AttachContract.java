package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.interaction.Statistics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class AttachContract {
  private final Fixture fixture;

  AttachContract(Fixture fixture) {
    this.fixture = fixture;
  }

  @Test
  @DisplayName("attaching writes to the process's input and reads its output until its end")
  void attach() throws Exception {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.shell("read line; echo got $line; echo oh >&2; exit 6").withStdin());
    if (!fixture.supports(Feature.ATTACH)) {
      assertRefused(Code.UNSUPPORTED, () -> fixture.interaction().attach(guest.id(), true).close());
      return;
    }
    try (ProcessSession session = fixture.interaction().attach(guest.id(), true)) {
      session.stdin().write("hello\n".getBytes(StandardCharsets.UTF_8));
      session.stdin().flush();
      assertEquals(
          "got hello\n", new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8));
      assertEquals("oh\n", new String(session.stderr().readAllBytes(), StandardCharsets.UTF_8));
      assertEquals(6, session.awaitExit(fixture.patience()).orElseThrow().code());
    }
  }

  @Test
  @DisplayName("closing an attached session leaves the process running")
  void closing() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    if (fixture.supports(Feature.ATTACH)) {
      fixture.interaction().attach(guest.id(), false).close();
      assertTrue(guest.observe().process() instanceof Running);
    }
  }

  @Test
  @DisplayName("a port where nothing listens is UNAVAILABLE")
  void refusedPort() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    assertRefused(
        fixture.supports(Feature.PORT_FORWARDING) ? Code.UNAVAILABLE : Code.UNSUPPORTED,
        () -> fixture.interaction().forwardPort(guest.id(), 9).close());
  }

  @Test
  @DisplayName("statistics tell memory and time")
  void statistics() {
    Guest guest = fixture.guest();
    guest.start(ProcessSpecs.of("sleep", "600"));
    if (!fixture.supports(Feature.STATISTICS)) {
      assertRefused(Code.UNSUPPORTED, () -> fixture.interaction().statistics(guest.id()));
      return;
    }
    Statistics statistics = fixture.interaction().statistics(guest.id());
    assertTrue(statistics.processes() >= 1, statistics::toString);
    assertTrue(statistics.memoryWorkingSet() > 0, statistics::toString);
    assertTrue(statistics.scratchCapacity() > statistics.scratchUsed(), statistics::toString);
  }

  @Test
  @DisplayName("statistics of a VM that is powered off are FAILED_PRECONDITION, of none NOT_FOUND")
  void refusedStatistics() {
    Guest guest = fixture.guest();
    fixture.compute().powerOff(guest.groupId(), Duration.ZERO);
    assertRefused(
        fixture.supports(Feature.STATISTICS) ? Code.FAILED_PRECONDITION : Code.UNSUPPORTED,
        () -> fixture.interaction().statistics(guest.id()));
    assertRefused(Code.NOT_FOUND, () -> fixture.interaction().statistics("no-such-vm"));
  }
}
