package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The VCH's folder is a small file system of its own meanwhile. */
@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Only(on = Backend.LOCAL, because = "a datastore of the vCenter lab is never full")
@DisplayName("A datastore without room")
class FullDiskTest {
  private static final String SIZE = "192M";

  private final Installation berth;
  private final Path datastore;
  private final Path filler;

  FullDiskTest(Installation berth) {
    this.berth = berth;
    this.datastore = berth.directory().resolve("vch");
    this.filler = datastore.resolve("filler");
  }

  @BeforeAll
  void mount(@TempDir Path directory) {
    String disk = directory.resolve("datastore").toString();
    Command.of("truncate", "-s", SIZE, disk).run().expect(0);
    Command.of("mke2fs", "-q", "-t", "ext4", "-m", "0", disk).run().expect(0);
    stopKubelet();
    Command.of("mount", "-o", "loop", disk, datastore.toString()).run().expect(0);
    berth.start();
  }

  @AfterAll
  void unmount() {
    stopKubelet();
    Command.of("umount", datastore.toString()).run().expect(0);
    berth.start();
  }

  private void stopKubelet() {
    ProcessHandle kubelet = berth.process("kubelet").orElseThrow();
    kubelet.destroy();
    await().atMost(Duration.ofSeconds(30)).until(() -> !kubelet.isAlive());
  }

  private void fill() {
    String said =
        Command.of("sh", "-c", "cat /dev/zero >> \"$1\"", "sh", filler.toString()).run().error();
    assertTrue(said.contains("No space left"), said);
  }

  private void free() throws IOException {
    Files.deleteIfExists(filler);
  }

  /** What a failure leaves would keep the file system busy. */
  @AfterEach
  void clear() throws IOException {
    free();
    berth.delete("no-room", "settled", "late", "never");
  }

  /** Bound to the node, because a full one is tainted. */
  private String bound(String manifest) {
    return manifest.replace("  containers:", "  nodeName: " + berth.name() + "\n  containers:");
  }

  private String pod(String name) {
    return bound(Installation.script(name, "echo works; sleep 100000"));
  }

  private void awaitRunning(String pod) {
    berth.awaitPhase(pod, "Running");
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> berth.kubectl("logs", pod).run().output(), "works\n"::equals);
  }

  @Test
  @DisplayName("takes no image, says so, and takes it once there is room again")
  void pull() throws IOException {
    fill();
    // No other test here uses this image.
    berth.apply(bound(Installation.manifest("no-room", "redis", "")));
    berth.awaitEvent("no-room", "Failed to pull image");
    String events = berth.events("no-room");
    assertTrue(events.contains("no space left on device"), events);
    assertEquals("Pending", berth.pod("no-room").at("/status/phase").asString());

    free();
    berth.awaitPhase("no-room", "Running");
  }

  @Test
  @DisplayName("starts no pod, says so, leaves running ones alone, and starts it afterwards")
  void start() throws IOException {
    berth.apply(pod("settled"));
    awaitRunning("settled");
    fill();
    berth.apply(pod("late"));
    berth.awaitEvent("late", "FailedCreatePodSandBox");
    String events = berth.events("late");
    assertTrue(events.contains("no space left on device"), events);
    assertEquals("Pending", berth.pod("late").at("/status/phase").asString());
    berth.kubectl("exec", "settled", "--", "true").run().expect(0);

    free();
    awaitRunning("late");
    assertEquals(0, berth.container("settled").at("/restartCount").asInt(-1));
  }

  @Test
  @DisplayName("lets go of a pod that could not be started")
  void delete() throws IOException {
    berth.apply(pod("settled"));
    awaitRunning("settled");
    fill();
    berth.apply(pod("never"));
    berth.awaitEvent("never", "FailedCreatePodSandBox");
    berth.delete("never", "settled");
  }
}
