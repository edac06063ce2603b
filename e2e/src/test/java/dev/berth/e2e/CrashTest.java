package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@DisplayName("After a crash")
class CrashTest {
  private final Installation berth;

  CrashTest(Installation berth) {
    this.berth = berth;
  }

  @Test
  @DisplayName(
      "of the provider, no container was restarted, no log line is missing, exit codes are right, and exec works")
  void providerKilled() {
    berth.apply(
        Installation.script(
            "survivor", "i=0; while true; do echo line $i; i=$((i+1)); usleep 100000; done"));
    // It ends only once it is told to, by a file that is made while no provider runs to see it.
    berth.apply(
        Installation.script(
            "ending", "until test -e /tmp/go; do usleep 100000; done; sleep 3; echo bye; exit 7"));
    berth.awaitPhase("survivor", "Running");
    berth.awaitPhase("ending", "Running");
    String boot = bootId();

    berth.kubectl("exec", "ending", "--", "touch", "/tmp/go").run().expect(0);
    berth.kill(berth.process("kubelet").orElseThrow());
    // It ends with nobody there; what its containerVM told is read from where the hypervisor wrote
    // it.
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> berth.states().stream().anyMatch(state -> state.contains("\"exitCode\":7")));
    assertEquals(2, berth.virtualMachines().size(), "containerVMs outlive the provider");
    berth.start();

    berth.awaitPhase("ending", "Failed");
    assertEquals(7, berth.container("ending").at("/state/terminated/exitCode").asInt());
    assertEquals("bye\n", berth.kubectl("logs", "ending").run().expect(0).output());
    assertEquals(0, berth.container("survivor").at("/restartCount").asInt());
    assertEquals(boot, bootId());
    List<String> lines =
        berth.kubectl("logs", "survivor").run().expect(0).output().lines().toList();
    assertEquals(IntStream.range(0, lines.size()).mapToObj(i -> "line " + i).toList(), lines);
    assertTrue(lines.size() > 30, "only " + lines.size() + " lines");
    berth.delete("survivor", "ending");
  }

  private String bootId() {
    return berth
        .kubectl("exec", "survivor", "--", "cat", "/proc/sys/kernel/random/boot_id")
        .run()
        .expect(0)
        .output();
  }

  @Test
  @DisplayName(
      "of one QEMU, its container is restarted where the policy says so, and failed where it does not")
  void virtualMachineKilled() {
    allLost(
        () -> {
          ProcessHandle victim = berth.virtualMachines().getFirst();
          berth.kill(victim);
        },
        1);
  }

  @Test
  @DisplayName("of the host, the same")
  void hostRebooted() {
    allLost(
        () -> {
          berth.kill(berth.process("kubelet").orElseThrow());
          berth.virtualMachines().forEach(berth::kill);
          berth.start();
        },
        2);
  }

  private void allLost(Runnable disaster, int pods) {
    berth.apply(
        Installation.script("always", "echo started; sleep 100000")
            .replace("restartPolicy: Never", "restartPolicy: Always"));
    berth.awaitPhase("always", "Running");
    if (pods > 1) {
      berth.apply(Installation.script("never", "sleep 100000"));
      berth.awaitPhase("never", "Running");
    }
    assertEquals(pods, berth.virtualMachines().size());
    disaster.run();
    berth.awaitRestarts("always", 1);
    assertEquals(137, berth.container("always").at("/lastState/terminated/exitCode").asInt());
    berth.kubectl("exec", "always", "--", "true").run().expect(0);
    if (pods > 1) {
      berth.awaitPhase("never", "Failed");
      assertEquals(137, berth.container("never").at("/state/terminated/exitCode").asInt());
      assertFalse(berth.container("never").at("/state/terminated/reason").asString().isEmpty());
    }
    berth.delete("always", "never");
  }
}
