package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a control plane that knows nothing of Berth: it is told of no node when it starts. */
@Tag("e2e")
@DisplayName("quickstart --kubeconfig")
class ExistingClusterTest {
  private static final String API_CLIENT =
      """
      import os, ssl, urllib.request
      base = "/var/run/secrets/kubernetes.io/serviceaccount/"
      url = "https://%s:%s/version" % (os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"])
      request = urllib.request.Request(url, headers={"Authorization": "Bearer " + open(base + "token").read()})
      context = ssl.create_default_context(cafile=base + "ca.crt")
      print(urllib.request.urlopen(request, context=context, timeout=20).read().decode())
      """;

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Path folder;
  private final Path kubeconfig;
  private final Installation berth;
  private @Nullable Process controlPlane;

  ExistingClusterTest(@TempDir Path folder) {
    this.folder = folder;
    this.kubeconfig = folder.resolve("cluster/admin.kubeconfig");
    String name = Installation.NAME.substring(0, Math.min(13, Installation.NAME.length())) + "-x";
    berth = new Installation(name, folder.resolve("berth"), Optional.of(kubeconfig));
  }

  @BeforeEach
  void startCluster() throws IOException {
    Path log = folder.resolve("cluster.log");
    String[] command = {
      berth.command("control-plane"),
      "--directory",
      folder.resolve("cluster").toString(),
      "--address",
      address(),
      "--port",
      Integer.toString(freePort()),
      "--unsafe-no-fsync"
    };
    controlPlane =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    await()
        .atMost(PATIENCE)
        .until(
            () -> Files.readString(log), text -> text.lines().anyMatch(s -> s.startsWith("ready")));
  }

  /** This host's own, as a cluster on it would have. */
  private static String address() {
    String route = Command.of("ip", "route", "get", "192.0.2.1").run().expect(0).output();
    return route.replaceFirst("(?s).*\\bsrc (\\S+).*", "$1");
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral(address()))) {
      return socket.getLocalPort();
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    berth.quickstart("--stop");
    Process process = Objects.requireNonNull(controlPlane);
    process.destroy();
    if (!process.waitFor(40, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
  }

  private Command.Result admin(String... arguments) {
    List<String> all =
        new ArrayList<>(List.of(berth.command("kubectl"), "--kubeconfig", kubeconfig.toString()));
    all.addAll(List.of(arguments));
    return Command.of(all).run();
  }

  @Test
  @DisplayName("joins a cluster with a node's rights, runs pods there, and leaves it as it was")
  void joinAndLeave() {
    Inventory before = Inventory.ofHost();
    berth.start();
    berth.start();
    assertEquals("", admin("get", "csr", "-o", "name").expect(0).output());

    berth.apply(
        Installation.manifest(
            "guest",
            "python-web",
            "command: [\"python3\", \"-c\", \"print('works'); import time; time.sleep(1e5)\"]"));
    berth.awaitPhase("guest", "Running");
    // What comes back has gone from the API server to the kubelet, each knowing the other.
    await()
        .atMost(PATIENCE)
        .until(() -> berth.kubectl("logs", "guest").run().output(), "works\n"::equals);
    assertEquals(
        "in\n", berth.kubectl("exec", "guest", "--", "echo", "in").run().expect(0).output());
    assertTrue(python(API_CLIENT).run().expect(0).output().contains("gitVersion"));
    assertKubeletIsClosed();

    Path mine = berth.credentials();
    assertEquals(
        "no\n",
        Command.of(
                berth.command("kubectl"),
                "--kubeconfig",
                mine.resolve("kubeconfig").toString(),
                "auth",
                "can-i",
                "delete",
                "nodes")
            .run()
            .output());

    berth.quickstart("--stop").expect(0);
    assertEquals("", admin("get", "nodes", "-o", "name").expect(0).output());
    assertFalse(Files.exists(mine), "the node's credentials are left");
    assertEquals(List.of(), before.differences(Inventory.ofHost(), berth.name()));
    berth.quickstart("--stop").expect(0);
    admin("get", "--raw", "/readyz").expect(0);
  }

  /** Nothing answers a pod, where the API server is answered. */
  private void assertKubeletIsClosed() {
    String node =
        "import socket; socket.create_connection((\"%s\", 10350), 3)"
            .formatted(berth.pod("guest").at("/status/hostIP").asString());
    assertTrue(python(node).run().expect(1).error().contains("TimeoutError"));
  }

  private Command python(String program) {
    return berth.kubectl("exec", "guest", "--", "python3", "-c", program);
  }
}
