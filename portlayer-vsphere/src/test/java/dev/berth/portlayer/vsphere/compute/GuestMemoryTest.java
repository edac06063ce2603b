package dev.berth.portlayer.vsphere.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GuestReport;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00.123456789Z");
  private static final Instant LATER = START.plusSeconds(60);
  private static final ContainerVmSpec SPEC =
      new ContainerVmSpec(
          "vm",
          "guest",
          new Resources(1, 0, 0, 1 << 26, 0),
          "sha256:1",
          List.of(
              new DiskAttachment("image", Role.IMAGE, "", true),
              new DiskAttachment("scratch", Role.SCRATCH, "", false)),
          List.of(),
          Map.of());

  private final GuestMemory memory =
      new GuestMemory(Attempts.NONE, Optional.empty(), PowerState.OFF, START);

  private static GuestReport ready(String boot, long sequence) {
    return new GuestReport(boot, sequence, true, Optional.empty(), "");
  }

  private static GuestReport running(String boot, long sequence, int attempt) {
    return new GuestReport(boot, sequence, true, Optional.of(new Running(attempt, START)), "");
  }

  private static Exited exit(int attempt, int code) {
    return new Exited(
        attempt, START, LATER, code, 0, code == 0 ? Reason.COMPLETED : Reason.ERROR, "");
  }

  private static GuestReport exited(String boot, long sequence, int attempt, int code) {
    return new GuestReport(boot, sequence, true, Optional.of(exit(attempt, code)), "");
  }

  private void see(PowerState power, GuestReport... told) {
    memory.see(power, Optional.ofNullable(told.length == 0 ? null : told[0]), LATER);
  }

  private ContainerVm seen() {
    return memory.observe(SPEC);
  }

  /** What another control plane makes of what is of record. */
  private ContainerVm restarted(PowerState power, Optional<GuestReport> told) {
    Attempts kept = Attempts.parse(List.of(memory.attempts().option()));
    return new GuestMemory(kept, told, power, LATER).observe(SPEC);
  }

  private Exited lastExit() {
    return assertInstanceOf(Exited.class, seen().process());
  }

  @Test
  @DisplayName("a VM that is on is ready when its guest has said so, and not by an earlier boot")
  void readiness() {
    see(PowerState.ON);
    assertFalse(seen().ready());
    see(PowerState.ON, ready("a", 1));
    assertTrue(seen().ready());
    see(PowerState.OFF, ready("a", 1));
    assertFalse(seen().ready());
    see(PowerState.ON, ready("a", 1));
    assertFalse(seen().ready());
    see(PowerState.ON, ready("b", 1));
    assertTrue(seen().ready());
  }

  @Test
  @DisplayName("a power-on and the first words of its boot may come at once")
  void coalesced() {
    see(PowerState.ON, exited("a", 3, 0, 7));
    assertTrue(seen().ready());
    assertEquals(7, lastExit().exitCode());
  }

  @Test
  @DisplayName("attempts follow each other, the earlier ones in the history")
  void attempts() {
    see(PowerState.ON, ready("a", 1));
    see(PowerState.ON, exited("a", 3, 0, 1));
    memory.hear(running("a", 4, 1), LATER);
    see(PowerState.ON, exited("a", 3, 0, 1));
    assertEquals(new Running(1, START), seen().process());
    assertEquals(List.of(exit(0, 1)), seen().history());
    see(PowerState.ON, exited("a", 5, 1, 2));
    assertEquals(exit(1, 2), lastExit());
    assertEquals(List.of(exit(0, 1)), seen().history());
    assertEquals(seen(), restarted(PowerState.ON, memory.report()));
  }

  @Test
  @DisplayName("a process is lost with its VM, once, and a later word of its end counts")
  void lost() {
    see(PowerState.ON, running("a", 2, 0));
    see(PowerState.OFF, running("a", 2, 0));
    assertEquals(new Exited(0, START, LATER, 137, 0, Reason.VM_LOST, ""), lastExit());
    assertEquals(seen(), restarted(PowerState.OFF, memory.report()));
    see(PowerState.OFF, exited("a", 3, 0, 0));
    assertEquals(exit(0, 0), lastExit());
  }

  @Test
  @DisplayName("another boot ends what ran in the one before")
  void rebooted() {
    see(PowerState.ON, running("a", 2, 0));
    see(PowerState.ON, ready("b", 1));
    assertEquals(Reason.VM_LOST, lastExit().reason());
    assertTrue(seen().ready());
    see(PowerState.ON, running("b", 2, 1));
    assertEquals(Reason.VM_LOST, seen().history().getLast().reason());
  }

  @Test
  @DisplayName("an attempt that was asked for in another boot is lost, in this one not begun")
  void asked() {
    see(PowerState.ON, ready("a", 1));
    memory.begin(0, START);
    assertInstanceOf(NotStarted.class, seen().process());
    assertInstanceOf(
        NotStarted.class, restarted(PowerState.ON, Optional.of(ready("a", 1))).process());
    for (ContainerVm other :
        List.of(
            restarted(PowerState.ON, Optional.of(ready("b", 1))),
            restarted(PowerState.ON, Optional.empty()),
            restarted(PowerState.OFF, Optional.empty()))) {
      ProcessState process = other.process();
      assertEquals(Reason.VM_LOST, assertInstanceOf(Exited.class, process).reason());
    }
    memory.refuse();
    see(PowerState.OFF);
    assertInstanceOf(NotStarted.class, seen().process());
  }

  @Test
  @DisplayName("what is of record is what was, to the nanosecond, and of bounded length")
  void record() {
    Attempts attempts = Attempts.NONE;
    for (int attempt = 0; attempt < 30; attempt++) {
      attempts = attempts.end(exit(attempt, attempt));
    }
    attempts = attempts.begin(30, "a", START);
    assertEquals(attempts, Attempts.parse(List.of(attempts.option())));
    assertEquals(11, attempts.ended().size());
  }
}
