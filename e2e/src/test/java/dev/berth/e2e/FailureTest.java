package dev.berth.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@DisplayName("What cannot work")
class FailureTest {
  private final Installation berth;

  FailureTest(Installation berth) {
    this.berth = berth;
  }

  @ParameterizedTest(name = "image {1}: {2}")
  @CsvSource({
    "malformed, 'UPPER/Case:Bad Tag', InvalidImageName, ",
    "missing, quickstart.berth.dev/no-such-image, ErrImagePull, not found",
    "untagged, quickstart.berth.dev/busybox:no-such-tag, ErrImagePull, not found",
    "unreachable, 127.0.0.1:9/busybox, ErrImagePull, 127.0.0.1:9",
    "truncated, quickstart.berth.dev/broken/truncated-layer, ErrImagePull, failed to extract layer",
    "corrupt, quickstart.berth.dev/broken/wrong-diff-id, ErrImagePull, sha256:",
  })
  @DisplayName("an image that cannot be had")
  void image(String pod, String image, String reason, String text) {
    berth.apply(
        Installation.manifest(pod, "busybox", "")
            .replace(Installation.REGISTRY + "/busybox", "\"" + image + "\""));
    String event = reason.equals("InvalidImageName") ? "InvalidImageName" : "Failed to pull image";
    berth.awaitEvent(pod, event);
    if (text != null) {
      assertTrue(berth.events(pod).contains(text), berth.events(pod));
    }
    assertEquals("Pending", berth.pod(pod).at("/status/phase").asString());
    berth.delete(pod);
  }

  @Test
  @DisplayName("imagePullPolicy Never with an image that is not there")
  void neverPull() {
    berth.apply(Installation.manifest("never-pull", "not-here", "imagePullPolicy: Never"));
    berth.awaitReason("never-pull", "waiting", "ErrImageNeverPull");
    berth.delete("never-pull");
  }

  @Test
  @DisplayName("a ConfigMap key that is missing")
  void configMapKey() {
    berth.kubectl("create", "configmap", "sparse", "--from-literal=a=b").run();
    berth.apply(
        Installation.manifest(
            "no-key",
            "busybox",
            "env: [{name: X, valueFrom: {configMapKeyRef: {name: sparse, key: missing}}}]"));
    berth.awaitReason("no-key", "waiting", "CreateContainerConfigError");
    String message = berth.container("no-key").at("/state/waiting/message").asString();
    assertTrue(message.contains("missing") && message.contains("sparse"), message);
    berth.delete("no-key");
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "no-user, broken/no-such-user, '', unable to find user",
    "no-command, busybox, 'command: [\"no-such-command\"]', no-such-command",
  })
  @DisplayName("a process that cannot be started")
  void process(String pod, String image, String more, String text) {
    berth.apply(Installation.manifest(pod, image, more));
    berth.awaitPhase(pod, "Failed");
    assertEquals("StartError", berth.container(pod).at("/state/terminated/reason").asString());
    assertEquals(128, berth.container(pod).at("/state/terminated/exitCode").asInt());
    String message = berth.container(pod).at("/state/terminated/message").asString();
    assertTrue(message.contains(text), message);
    berth.delete(pod);
  }

  @Test
  @DisplayName("more memory than the node has")
  void memory() {
    berth.apply(
        Installation.manifest("huge", "busybox", "").replace("memory: 64Mi", "memory: 900Gi"));
    berth.awaitEvent("huge", "Insufficient memory");
    assertEquals("Pending", berth.pod("huge").at("/status/phase").asString());
    berth.delete("huge");
  }

  @Test
  @DisplayName("more memory than its limit gets OOMKilled")
  void outOfMemory() {
    berth.apply(Installation.script("eater", "x=a; while true; do x=$x$x; done"));
    berth.awaitPhase("eater", "Failed");
    assertEquals("OOMKilled", berth.container("eater").at("/state/terminated/reason").asString());
    assertEquals(137, berth.container("eater").at("/state/terminated/exitCode").asInt());
    berth.delete("eater");
  }
}
