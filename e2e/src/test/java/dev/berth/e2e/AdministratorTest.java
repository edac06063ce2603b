package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Only(on = Backend.VSPHERE, because = "there is no vCenter to look into")
@DisplayName("An administrator of vCenter")
class AdministratorTest {
  private static final String SECRET = "open-sesame-" + Long.toHexString(System.nanoTime());
  private static final List<String> PODS = List.of("spread-0", "spread-1", "spread-2", "spread-3");
  private static final Pattern BASE64 = Pattern.compile("[A-Za-z0-9+/]{64,}={0,2}");

  private final Installation berth;
  private final VcenterLab lab;

  AdministratorTest(Installation berth) {
    this.berth = berth;
    this.lab = berth.lab();
  }

  @BeforeAll
  void pods() {
    berth.apply(
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: sesame}
        stringData: {word: %s}
        """
            .formatted(SECRET));
    for (String pod : PODS) {
      berth.apply(
          Installation.manifest(
                      pod,
                      "busybox",
                      """
                  command: ["/bin/sh", "-c", "test $(cat /etc/sesame/word) = $WORD && echo same; sleep 100000"]
                  env: [{name: WORD, valueFrom: {secretKeyRef: {name: sesame, key: word}}}]
                  volumeMounts: [{name: sesame, mountPath: /etc/sesame}]
                  """)
                  .replace("memory: 64Mi", "{memory: 64Mi, cpu: 500m}")
              + "  volumes: [{name: sesame, secret: {secretName: sesame}}]\n");
    }
    for (String pod : PODS) {
      berth.awaitPhase(pod, "Running");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> berth.kubectl("logs", pod).run().output(), "same\n"::equals);
    }
  }

  @AfterAll
  void clean() {
    berth.delete(PODS.toArray(String[]::new));
    berth.kubectl("delete", "secret", "sesame").run().expect(0);
  }

  @Test
  @DisplayName("sees the pods spread over hosts")
  void spread() {
    List<String> hosts = PODS.stream().map(pod -> lab.host(lab.vm(pod))).distinct().toList();
    assertTrue(hosts.size() > 1, "all on " + hosts);
  }

  @Test
  @DisplayName("reads in a VM's name, notes, pool and limits whose it is and what it may use")
  void names() {
    String vm = lab.vm("spread-0");
    String name = vm.substring(vm.lastIndexOf('/') + 1);
    assertTrue(name.startsWith("default-spread-0") || name.startsWith("default.spread-0"), name);
    String notes = lab.govc("object.collect", "-s", vm, "config.annotation");
    for (String told : List.of("spread-0", "busybox", berth.name(), berth.podIp("spread-0"))) {
      assertTrue(notes.contains(told), notes);
    }
    String pool = lab.govc("object.collect", "-s", vm, "resourcePool").strip();
    assertTrue(lab.govc("ls", "-L", pool).strip().endsWith("/" + berth.name()), pool);
    // Of two cores of 2,600 MHz half a core is 1,300.
    String limit = lab.govc("object.collect", "-s", vm, "config.cpuAllocation.limit").strip();
    assertEquals("1300", limit);
  }

  @Test
  @DisplayName(
      "finds no secret in a VM's configuration, on a datastore, in a log or on a command line")
  void noSecret() throws Exception {
    for (String vm : lab.find("m")) {
      assertNoSecret("configuration of " + vm, lab.govc("object.collect", "-json", vm, "config"));
    }
    List<Path> places =
        List.of(
            lab.directory().resolve("datastores"),
            lab.directory().resolve("machines"),
            berth.directory().resolve("logs"));
    for (Path place : places) {
      for (String what :
          List.of(SECRET, encoded(SECRET).replace("+", "[+]"), "BEGIN ([A-Z]+ )?PRIVATE KEY")) {
        Command.Result found =
            Command.of("grep", "-rlaE", "--exclude-dir=images", what, place.toString()).run();
        assertEquals("", found.output(), what + " is in files of " + place);
        found.expect(1); // which is grep's for nothing found, and not its for a search that failed
      }
    }
    Inventory.programs("").forEach(line -> assertNoSecret("command line", line));
  }

  private static String encoded(String text) {
    return Base64.getEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Neither as it is, nor in what is base64. */
  private static void assertNoSecret(String where, String text) {
    List<String> forms = new ArrayList<>(List.of(text));
    Matcher encoded = BASE64.matcher(text);
    while (encoded.find()) {
      String some = encoded.group();
      String whole = some.replace("=", "");
      forms.add(
          new String(
              Base64.getDecoder().decode(whole.substring(0, whole.length() / 4 * 4)),
              StandardCharsets.ISO_8859_1));
    }
    for (String form : forms) {
      assertFalse(form.contains(SECRET), "the secret is in the " + where);
      assertFalse(form.contains("PRIVATE KEY"), "a key is in the " + where);
    }
  }
}
