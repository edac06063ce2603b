package dev.berth.e2e;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@DisplayName("Many pods at once")
class ChurnTest {
  private static final int PODS = Backend.CHOSEN.load().pods();

  private final Installation berth;

  ChurnTest(Installation berth) {
    this.berth = berth;
  }

  @RepeatedTest(value = 2, name = "time {currentRepetition}")
  @DisplayName("are created and deleted, and leave nothing behind")
  void createAndDelete() {
    List<String> names = IntStream.range(0, PODS).mapToObj(i -> "many-" + i).toList();
    StringBuilder manifests = new StringBuilder();
    for (String name : names) {
      manifests
          .append(
              Installation.script(name, "echo here; sleep 100000")
                  .replace("memory: 64Mi", "memory: 32Mi"))
          .append("\n---\n");
    }
    berth.apply(manifests.toString());
    await()
        .atMost(Duration.ofMinutes(12))
        .pollInterval(Duration.ofSeconds(2))
        .until(
            () ->
                berth
                    .kubectl("get", "pods", "--field-selector=status.phase=Running", "-o", "name")
                    .run()
                    .expect(0)
                    .output()
                    .lines()
                    .filter(line -> line.startsWith("pod/many-"))
                    .count(),
            running -> running == PODS);
    berth
        .kubectl("delete", "pod", "--all", "--timeout=4m")
        .deadline(Duration.ofMinutes(5))
        .run()
        .expect(0);
  }
}
