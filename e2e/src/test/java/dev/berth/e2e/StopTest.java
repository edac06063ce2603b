package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With an installation of its own, which it may stop. */
@Tag("e2e")
@DisplayName("quickstart --stop leaves nothing on the host")
class StopTest {
  private final Installation berth;

  /** In an empty directory, so that no cluster of an earlier run goes on. */
  StopTest(@TempDir Path directory) {
    String name = Installation.NAME.substring(0, Math.min(13, Installation.NAME.length())) + "-s";
    berth = new Installation(name, directory);
  }

  @AfterEach
  void stop() {
    berth.close();
  }

  @Test
  @DisplayName("while a pod runs, and may be repeated; the next start goes on with the pod")
  void podRuns() {
    Inventory before = Inventory.ofHost();
    berth.start();
    berth.apply(
        Installation.script("stays", "sleep 100000")
            .replace("restartPolicy: Never", "restartPolicy: Always")
            .replace("memory: 64Mi", "{memory: 64Mi, cpu: 500m}"));
    berth.awaitPhase("stays", "Running");
    assertTrue(before.differences(Inventory.ofHost()).size() > 5, "the inventory sees nothing");

    berth.quickstart("--stop").expect(0);
    assertNothingSince(before);
    berth.quickstart("--stop").expect(0);
    assertNothingSince(before);

    berth.start();
    berth.awaitRestarts("stays", 1);
    berth.quickstart("--stop").expect(0);
    assertNothingSince(before);
  }

  @Test
  @DisplayName(
      "with half of it gone: control plane and a VM killed, the namespace without its name")
  void halfGone() {
    Inventory before = Inventory.ofHost();
    berth.start();
    berth.apply(Installation.script("first", "sleep 100000"));
    berth.apply(Installation.script("second", "sleep 100000"));
    berth.awaitPhase("first", "Running");
    berth.awaitPhase("second", "Running");
    berth.kill(berth.process("control-plane").orElseThrow());
    berth.kill(berth.virtualMachines().getFirst());
    Command.of("ip", "netns", "delete", berth.name()).run().expect(0);

    berth.quickstart("--stop").expect(0);
    assertNothingSince(before);
    berth.quickstart("--stop").expect(0);
  }

  private void assertNothingSince(Inventory before) {
    String directory = berth.directory().toString();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () -> {
              assertEquals(List.of(), before.differences(Inventory.ofHost(), berth.name()));
              assertEquals(List.of(), Inventory.programs(directory));
            });
  }
}
