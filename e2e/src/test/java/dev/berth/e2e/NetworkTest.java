package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayName("Networks")
class NetworkTest {
  /** A host beyond the machine's own network, as the rest of the world is to a pod. */
  private static final String OUTSIDE = "berth-e2e-world";

  private static final String OUTSIDE_ADDRESS = "198.18.77.2";

  private final Installation berth;

  NetworkTest(Installation berth) {
    this.berth = berth;
  }

  @BeforeAll
  void pods() {
    berth.apply(Installation.manifest("nginx", "nginx", ""));
    berth.apply(Installation.manifest("redis", "redis", ""));
    berth.apply(Installation.manifest("python", "python-web", ""));
    berth.apply(Installation.script("client", "sleep 100000"));
    for (String pod : List.of("nginx", "redis", "python", "client")) {
      berth.awaitPhase(pod, "Running");
    }
  }

  @AfterAll
  void clean() {
    berth.delete("nginx", "redis", "python", "client");
  }

  @Test
  @DisplayName("nginx, redis and a Python app serve on their pod IP to the host and to another pod")
  void serve() {
    for (String pod : List.of("nginx", "python")) {
      String url = "http://" + berth.podIp(pod) + (pod.equals("python") ? ":8080/" : "/");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> Command.of("curl", "-sS", "-m", "5", url).run().exitCode() == 0);
      assertEquals(
          0, berth.kubectl("exec", "client", "--", "wget", "-q", "-O", "-", url).run().exitCode());
    }
    String redis = berth.podIp("redis");
    String answer =
        berth
            .kubectl("exec", "-i", "client", "--", "nc", "-w", "5", redis, "6379")
            .input("PING\r\nQUIT\r\n")
            .run()
            .output();
    assertTrue(answer.startsWith("+PONG"), answer);
  }

  @Test
  @DisplayName("a pod reaches the outside through NAT")
  void egress() {
    Command.of("ip", "netns", "add", OUTSIDE).run().expect(0);
    try {
      Command.of(
              "ip",
              "link",
              "add",
              "berth-e2e-out",
              "type",
              "veth",
              "peer",
              "name",
              "eth0",
              "netns",
              OUTSIDE)
          .run()
          .expect(0);
      Command.of("ip", "address", "add", "198.18.77.1/30", "dev", "berth-e2e-out").run().expect(0);
      Command.of("ip", "link", "set", "berth-e2e-out", "up").run().expect(0);
      Command.of("sysctl", "-qw", "net.ipv4.conf.berth-e2e-out.forwarding=1").run().expect(0);
      outside("ip", "address", "add", OUTSIDE_ADDRESS + "/30", "dev", "eth0").run().expect(0);
      outside("ip", "link", "set", "eth0", "up").run().expect(0);
      outside("ip", "link", "set", "lo", "up").run().expect(0);
      Process server =
          outside("busybox", "nc", "-l", "-p", "7777", "-e", "echo", "outside").start();
      try {
        await()
            .atMost(Duration.ofSeconds(30))
            .until(
                () ->
                    berth
                        .kubectl("exec", "client", "--", "nc", "-w", "5", OUTSIDE_ADDRESS, "7777")
                        .run()
                        .output()
                        .contains("outside"));
      } finally {
        server.destroyForcibly();
      }
    } finally {
      Command.of("ip", "netns", "del", OUTSIDE).run().expect(0);
      await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> Command.of("ip", "link", "show", "berth-e2e-out").run().exitCode() != 0);
    }
  }

  private static Command outside(String... arguments) {
    List<String> all = new java.util.ArrayList<>(List.of("ip", "netns", "exec", OUTSIDE));
    all.addAll(List.of(arguments));
    return Command.of(all);
  }

  @Test
  @DisplayName("an in-cluster client reaches the Kubernetes API with its service account's token")
  void kubernetesApi() {
    String answer =
        berth
            .kubectl(
                "exec",
                "python",
                "--",
                "python3",
                "-c",
                """
                import os, ssl, urllib.request
                base = "/var/run/secrets/kubernetes.io/serviceaccount/"
                url = "https://%s:%s/version" % (os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"])
                request = urllib.request.Request(url, headers={"Authorization": "Bearer " + open(base + "token").read()})
                context = ssl.create_default_context(cafile=base + "ca.crt")
                print(urllib.request.urlopen(request, context=context, timeout=20).read().decode())
                """)
            .run()
            .expect(0)
            .output();
    assertTrue(answer.contains("gitVersion"), answer);
  }

  @Test
  @DisplayName(
      "a pod reaches neither the provider's port, the registry, nor any other service of the host")
  void closed() {
    berth.assumeOwnControlPlane();
    String host = berth.pod("client").at("/status/hostIP").asString();
    assertNotEquals("", host);
    // The provider's own port answers to the control plane, so that the refusal below means
    // something.
    berth
        .inNamespace("curl", "-sk", "-m", "5", "https://" + host + ":10250/healthz")
        .run()
        .expect(0);
    String listening = berth.inNamespace("ss", "-Hltn").run().expect(0).output();
    List<String> ports =
        listening
            .lines()
            .map(line -> line.strip().split("\\s+", -1)[3])
            .filter(address -> !address.startsWith("127.") && !address.startsWith("[::1]"))
            .map(address -> address.substring(address.lastIndexOf(':') + 1))
            .filter(port -> !port.equals("6443"))
            .distinct()
            .toList();
    assertTrue(ports.contains("10250"), listening);
    for (String port : ports) {
      Command.Result result =
          berth.kubectl("exec", "client", "--", "nc", "-w", "2", host, port).input("x\n").run();
      assertNotEquals(0, result.exitCode(), "a pod connected to the host's port " + port);
    }
  }
}
