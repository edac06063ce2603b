package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayName("An image of a registry that asks who pulls")
class RegistryCredentialsTest {
  private static final String USER = "puller";
  private static final String PASSWORD = "open-sesame";
  private static final String WRONG = "open-barley";
  private static final String IMAGE = Installation.PRIVATE_REGISTRY + "/busybox";

  private final Installation berth;
  private @Nullable Process registry;

  RegistryCredentialsTest(Installation berth) {
    this.berth = berth;
  }

  @BeforeAll
  void serve(@TempDir Path directory) throws IOException {
    Path users = directory.resolve("htpasswd");
    Files.write(
        users,
        Command.of(berth.command("registry"), "--hash-password", USER)
            .input(PASSWORD + "\n")
            .run()
            .expect(0)
            .bytes());
    String[] address = Installation.PRIVATE_REGISTRY.split(":", -1);
    registry =
        berth
            .besideKubelet(
                berth.command("registry"),
                "--directory",
                directory.resolve("state").toString(),
                "--address",
                address[0],
                "--port",
                address[1],
                "--htpasswd",
                users.toString())
            .start();
    push(directory);
  }

  private void push(Path directory) throws IOException {
    Path credentials = directory.resolve("config.json");
    Files.writeString(credentials, dockerConfiguration(PASSWORD));
    Path images = berth.boot().resolveSibling("images");
    Command push =
        berth.besideKubelet(
            Path.of("images/push").toAbsolutePath().toString(),
            "--images",
            images.toString(),
            "--registry",
            Installation.PRIVATE_REGISTRY,
            "--authfile",
            credentials.toString(),
            "--plain-http",
            "busybox");
    await()
        .alias("the registry takes an image")
        .atMost(Duration.ofMinutes(1))
        .until(() -> push.run().exitCode() == 0);
  }

  @AfterAll
  void end() throws InterruptedException {
    if (registry != null) {
      registry.destroy();
      assertTrue(registry.waitFor(20, TimeUnit.SECONDS), "the registry does not end");
    }
  }

  private static String dockerConfiguration(String password) {
    String pair =
        Base64.getEncoder()
            .encodeToString((USER + ":" + password).getBytes(StandardCharsets.UTF_8));
    return "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(Installation.PRIVATE_REGISTRY, pair);
  }

  private void secret(String name, String password) {
    berth.apply(
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: %s}
        type: kubernetes.io/dockerconfigjson
        stringData: {.dockerconfigjson: '%s'}
        """
            .formatted(name, dockerConfiguration(password)));
  }

  private static String pod(String name, String secrets) {
    return Installation.script(name, "sleep 100000")
        .replace(Installation.REGISTRY + "/busybox", IMAGE)
        .replace("  containers:", "  imagePullSecrets: [" + secrets + "]\n  containers:");
  }

  /** Event and status say why, and neither says the password. */
  private void assertRefused(String pod, String why) {
    berth.awaitEvent(pod, why);
    await()
        .alias(pod + " waits, as " + why)
        .atMost(Duration.ofMinutes(1))
        .until(
            () -> berth.container(pod).at("/state/waiting"),
            waiting ->
                waiting.at("/reason").asString("").matches("ErrImagePull|ImagePullBackOff")
                    && waiting.at("/message").asString("").contains(why));
    assertEquals("Pending", berth.pod(pod).at("/status/phase").asString());
    assertFalse((berth.events(pod) + berth.pod(pod)).contains(WRONG), "the password is told");
  }

  @Test
  @DisplayName("is refused without credentials: authorization is required")
  void none() {
    berth.apply(pod("nobody", ""));
    assertRefused("nobody", "no basic auth credentials for " + Installation.PRIVATE_REGISTRY);
    berth.delete("nobody");
  }

  @Test
  @DisplayName("is refused with a wrong password: the message names the user")
  void wrong() {
    secret("wrong", WRONG);
    berth.apply(pod("stranger", "{name: wrong}"));
    assertRefused(
        "stranger",
        "%s refuses the credentials of user \"%s\"".formatted(Installation.PRIVATE_REGISTRY, USER));
    berth.kubectl("delete", "secret", "wrong").run().expect(0);
    berth.delete("stranger");
  }

  @Test
  @DisplayName("runs with the right one, though a wrong one is tried before")
  void right() {
    secret("stale", WRONG);
    secret("right", PASSWORD);
    berth.apply(pod("friend", "{name: stale}, {name: right}"));
    berth.awaitPhase("friend", "Running");
    berth.kubectl("delete", "secret", "stale", "right").run().expect(0);
    berth.delete("friend");
  }
}
