package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@Only(on = Backend.VSPHERE, because = "there is no vCenter that could be away")
@DisplayName("While vCenter is away")
class OutageTest {
  private static final int SECONDS = 120;

  private final Installation berth;

  OutageTest(Installation berth) {
    this.berth = berth;
  }

  @Test
  @DisplayName(
      "for two minutes, containers go on and are told of as last known; then everything catches up, and nothing is made twice")
  void away() {
    berth.apply(
        Installation.script(
            "steady", "i=0; while true; do echo line $i; i=$((i+1)); usleep 100000; done"));
    berth.awaitPhase("steady", "Running");
    VcenterLab lab = berth.lab();

    lab.door("POST", "/outage", "{\"seconds\": %d}".formatted(SECONDS));
    berth.apply(Installation.script("late", "echo here; sleep 100000"));
    await()
        .during(Duration.ofSeconds(SECONDS / 2))
        .atMost(Duration.ofSeconds(SECONDS * 3L / 4))
        .pollInterval(Duration.ofSeconds(2))
        .untilAsserted(
            () -> {
              assertEquals("Running", phase("steady"));
              assertEquals("Pending", phase("late"));
              assertEquals(0, berth.container("steady").at("/restartCount").asInt(-1));
            });
    await()
        .alias("vCenter is back")
        .atMost(Duration.ofSeconds(SECONDS))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> lab.tryGovc("about").exitCode() == 0);

    berth.awaitPhase("late", "Running");
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> berth.kubectl("logs", "late").run().output(), "here\n"::equals);
    List<String> lines = berth.kubectl("logs", "steady").run().expect(0).output().lines().toList();
    assertEquals(IntStream.range(0, lines.size()).mapToObj(i -> "line " + i).toList(), lines);
    assertTrue(lines.size() > SECONDS * 2, lines.size() + " lines");
    assertEquals(0, berth.container("steady").at("/restartCount").asInt(-1));
    berth.kubectl("exec", "steady", "--", "true").run().expect(0);
    assertEquals(2, lab.find("m").size());
    berth.delete("steady", "late");
  }

  private String phase(String pod) {
    return berth.pod(pod).at("/status/phase").asString();
  }
}
