package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@DisplayName("kubectl logs")
class LogsTest {
  private final Installation berth;

  LogsTest(Installation berth) {
    this.berth = berth;
  }

  @Test
  @DisplayName("-f carries a flood of mixed stdout and stderr with nothing lost or reordered")
  void flood() throws Exception {
    // One line in eight goes to stderr; each stream counts by itself, so that loss and reordering
    // show in either.
    int lines = Backend.CHOSEN.load().logLines();
    berth.apply(
        Installation.script(
            "flood",
            """
            awk 'BEGIN { pad = sprintf("%%-88s", "x"); for (i = 0; i < %d; i++) if (i %% 8) print "out", i, pad; else print "err", i, pad > "/dev/stderr" }'
            """
                .formatted(lines)));
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> !berth.container("flood").at("/state/waiting").isObject());
    Process follow = berth.kubectl("logs", "-f", "flood").start();
    long bytes = 0;
    int lastOut = -1;
    int lastErr = -8;
    int count = 0;
    try (var reader =
        new BufferedReader(
            new InputStreamReader(follow.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        bytes += line.length() + 1L;
        count++;
        String[] words = line.split(" ", 3);
        int number = Integer.parseInt(words[1]);
        if (words[0].equals("err")) {
          assertEquals(lastErr + 8, number, "stderr");
          lastErr = number;
        } else {
          int expected = (lastOut + 1) % 8 == 0 ? lastOut + 2 : lastOut + 1;
          assertEquals(expected, number, "stdout");
          lastOut = number;
        }
      }
    } finally {
      assertTrue(follow.waitFor(30, TimeUnit.SECONDS));
    }
    assertEquals(lines, count);
    assertTrue(bytes > 95L * lines, "only " + bytes + " bytes");
    berth.awaitPhase("flood", "Succeeded");
    berth.delete("flood");
  }

  @Test
  @DisplayName("of a container that ended are there, with every option")
  void ended() throws IOException {
    berth.apply(
        Installation.script("ended", "echo one; echo two >&2; printf 'three without end'; exit 3"));
    berth.awaitPhase("ended", "Failed");
    assertEquals(3, berth.container("ended").at("/state/terminated/exitCode").asInt());
    assertEquals("Error", berth.container("ended").at("/state/terminated/reason").asString());
    String all = berth.kubectl("logs", "ended").run().expect(0).output();
    assertEquals(3, all.lines().count(), all);
    assertTrue(
        all.contains("one\n") && all.contains("two\n") && all.contains("three without end"), all);
    assertEquals(
        1, berth.kubectl("logs", "ended", "--tail=1").run().expect(0).output().lines().count());
    assertEquals(
        2, berth.kubectl("logs", "ended", "--limit-bytes=2").run().expect(0).bytes().length);
    String stamped = berth.kubectl("logs", "ended", "--timestamps").run().expect(0).output();
    assertTrue(
        stamped.lines().allMatch(line -> line.matches("\\d{4}-\\d\\d-\\d\\dT\\S+Z .*")), stamped);
    assertEquals(
        "",
        berth
            .kubectl("logs", "ended", "--since-time=2100-01-01T00:00:00Z")
            .run()
            .expect(0)
            .output());
    assertEquals(all, berth.kubectl("logs", "ended", "--since=1h").run().expect(0).output());
    berth.delete("ended");
  }

  @Test
  @DisplayName("-p gives those of the attempt before the last restart, which happened in place")
  void previous() {
    berth.apply(
        Installation.script(
                "again",
                "cat /proc/sys/kernel/random/boot_id; touch /left; ls /left; sleep 2; exit 1")
            .replace("restartPolicy: Never", "restartPolicy: OnFailure"));
    berth.awaitRestarts("again", 1);
    String before = berth.kubectl("logs", "-p", "again").run().expect(0).output();
    assertEquals(2, before.lines().count(), before);
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () -> assertEquals(before, berth.kubectl("logs", "again").run().expect(0).output()));
    assertEquals(1, berth.container("again").at("/lastState/terminated/exitCode").asInt());
    berth.delete("again");
  }
}
