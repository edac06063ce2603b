package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@Only(on = Backend.VSPHERE, because = "one machine fails with all that is on it")
@DisplayName("The failure of a host")
class HostFailureTest {
  private static final String POD = "phoenix";

  private final Installation berth;
  private @Nullable String failed;

  HostFailureTest(Installation berth) {
    this.berth = berth;
  }

  @AfterEach
  void recover() {
    if (failed != null) {
      berth.lab().door("POST", "/hosts/" + failed + "/recover", "{}");
    }
    berth.kubectl("delete", "secret", "phoenix", "--ignore-not-found").run().expect(0);
  }

  @Test
  @DisplayName(
      "restarts its containers elsewhere, with their secrets and volumes, and the log goes on")
  void restartedElsewhere() {
    berth.apply(
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: phoenix}
        stringData: {word: open-sesame}
        """);
    berth.apply(
        Installation.manifest(
                    POD,
                    "busybox",
                    """
                command: ["/bin/sh", "-c", "echo up $(cat /etc/secret/word) $WORD; touch /scratch/there; sleep 100000"]
                env: [{name: WORD, valueFrom: {secretKeyRef: {name: phoenix, key: word}}}]
                volumeMounts:
                - {name: secret, mountPath: /etc/secret}
                - {name: scratch, mountPath: /scratch}
                """)
                .replace("restartPolicy: Never", "restartPolicy: Always")
            + "  volumes:\n  - {name: secret, secret: {secretName: phoenix}}\n  - {name: scratch, emptyDir: {}}\n");
    berth.awaitPhase(POD, "Running");
    String greeting = "up open-sesame open-sesame\n";
    awaitLog(greeting);
    VcenterLab lab = berth.lab();
    String host = lab.host(lab.vm(POD));
    String address = berth.podIp(POD);

    failed = host;
    lab.door("POST", "/hosts/" + host + "/fail", "{}");

    berth.awaitRestarts(POD, 1);
    assertNotEquals(host, lab.host(lab.vm(POD)));
    assertEquals(137, berth.container(POD).at("/lastState/terminated/exitCode").asInt());
    awaitLog(greeting);
    assertEquals(greeting, berth.kubectl("logs", "-p", POD).run().expect(0).output());
    assertEquals(
        "open-sesame",
        berth.kubectl("exec", POD, "--", "cat", "/etc/secret/word").run().expect(0).output());
    assertEquals(address, berth.podIp(POD));
    assertEquals(1, lab.find("m").stream().filter(vm -> vm.contains(POD)).count());
    berth.delete(POD);
  }

  private void awaitLog(String text) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> berth.kubectl("logs", POD).run().output(), text::equals);
  }
}
