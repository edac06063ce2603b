package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@Only(on = Backend.VSPHERE, because = "one machine has nowhere to migrate a VM to")
@DisplayName("Live migration")
class MigrationTest {
  private static final String POD = "traveller";
  private static final int MOVES = 2;

  private final Installation berth;

  MigrationTest(Installation berth) {
    this.berth = berth;
  }

  @Test
  @DisplayName(
      "leaves a terminal of kubectl exec, a follower of the log and the container's process as they were")
  void sessionsGoOn() throws IOException {
    berth.apply(
        Installation.script(
            POD, "i=0; while true; do echo line $i; i=$((i+1)); usleep 50000; done"));
    berth.awaitPhase(POD, "Running");
    String boot = bootId();
    try (Talk log = Talk.with(berth.kubectl("logs", "-f", POD));
        Talk terminal = Talk.with(berth.terminal("exec", "-it", POD, "--", "sh"))) {
      answers(terminal, 0);
      for (int move = 1; move <= MOVES; move++) {
        int before = lines(log);
        VcenterLab lab = berth.lab();
        String vm = lab.vm(POD);
        String from = lab.host(vm);
        lab.migrate(vm);
        assertNotEquals(from, lab.host(vm));
        answers(terminal, move);
        await().atMost(Duration.ofSeconds(60)).until(() -> lines(log), now -> now > before + 60);
      }
      assertConsecutive(log.text());
    }
    assertConsecutive(berth.kubectl("logs", POD).run().expect(0).output());
    assertEquals(boot, bootId(), "the containerVM was booted anew");
    assertEquals(0, berth.container(POD).at("/restartCount").asInt(-1));
    berth.delete(POD);
  }

  private String bootId() {
    return berth
        .kubectl("exec", POD, "--", "cat", "/proc/sys/kernel/random/boot_id")
        .run()
        .expect(0)
        .output();
  }

  /** The shell works out what the terminal itself does not show. */
  private static void answers(Talk terminal, int move) throws IOException {
    terminal.say("echo here-$((" + move + "+1000))\n");
    terminal.await("here-" + (move + 1000));
  }

  private static int lines(Talk log) {
    return (int) log.text().lines().count();
  }

  /** The last line may not be whole. */
  private static void assertConsecutive(String log) {
    List<String> lines = log.lines().toList();
    assertTrue(lines.size() > 60, log);
    assertEquals(
        IntStream.range(0, lines.size() - 1).mapToObj(i -> "line " + i).toList(),
        lines.subList(0, lines.size() - 1));
  }
}
