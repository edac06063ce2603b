package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@DisplayName("The main job")
class MainJobTest {
  private final Installation berth;

  MainJobTest(Installation berth) {
    this.berth = berth;
  }

  @Test
  @DisplayName(
      "the README's Pod runs on its own kernel, is read, entered, and answers on its IP from the host")
  void hello() throws IOException {
    String manifest = Path.of("../examples/hello.yaml").toAbsolutePath().normalize().toString();
    berth.kubectl("apply", "-f", manifest).run().expect(0);
    berth.awaitPhase("hello", "Running");

    await()
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> berth.kubectl("logs", "hello").run().expect(0).output(),
            log -> log.contains("Hello from"));
    JsonNode boot =
        new ObjectMapper().readTree(Files.readString(berth.boot().resolve("boot.json")));
    assertEquals(
        boot.get("kernelVersion").asString(),
        berth.kubectl("exec", "hello", "--", "uname", "-r").run().expect(0).output().strip());
    // From the host itself, over the route that the quickstart made.
    String page =
        Command.of("curl", "-sS", "-m", "10", "http://" + berth.podIp("hello") + "/")
            .run()
            .expect(0)
            .output();
    assertTrue(page.contains("Hello from"), page);
    berth.kubectl("delete", "-f", manifest).run().expect(0);
  }

  @Test
  @DisplayName("the node is Ready, tainted, labelled, and tells its capacity and addresses")
  void node() {
    JsonNode node =
        new ObjectMapper()
            .readTree(
                berth.kubectl("get", "node", berth.name(), "-o", "json").run().expect(0).bytes());
    assertEquals("virtual-kubelet.io/provider", node.at("/spec/taints/0/key").asString());
    assertEquals("berth", node.at("/spec/taints/0/value").asString());
    assertEquals("NoSchedule", node.at("/spec/taints/0/effect").asString());
    assertEquals("linux", node.at("/metadata/labels/kubernetes.io~1os").asString());
    assertEquals("amd64", node.at("/metadata/labels/kubernetes.io~1arch").asString());
    assertTrue(node.at("/status/capacity/pods").asInt(0) > 0, node.toPrettyString());
    String ready =
        berth
            .kubectl(
                "get",
                "node",
                berth.name(),
                "-o",
                "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}")
            .run()
            .expect(0)
            .output();
    assertEquals("True", ready);
    assertEquals(
        "1",
        berth
                .kubectl("get", "lease", "-n", "kube-node-lease", "--no-headers")
                .run()
                .expect(0)
                .output()
                .lines()
                .count()
            + "");
  }

  @Test
  @DisplayName(
      "environment and volumes come from the Pod's fields, ConfigMaps and Secrets, and follow their changes")
  void configuration() {
    berth.apply(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {color: blue, file.txt: first}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: password}
        stringData: {word: open-sesame}
        """);
    berth.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: configured, labels: {tier: front}}
        spec:
          terminationGracePeriodSeconds: 1
          nodeSelector: {type: virtual-kubelet}
          tolerations: [{key: virtual-kubelet.io/provider, operator: Exists}]
          containers:
          - name: main
            image: %s/busybox
            command: ["/bin/sh", "-c", "echo $COLOR $(NAME) $WORD $NODE; cat /etc/settings/file.txt; echo; cat /etc/password/word; echo; cat /etc/pod/labels; echo; test -s /var/run/secrets/kubernetes.io/serviceaccount/token && echo token; sleep 1000"]
            env:
            - {name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}
            - {name: WORD, valueFrom: {secretKeyRef: {name: password, key: word}}}
            - {name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
            resources: {limits: {memory: 64Mi}}
            volumeMounts:
            - {name: settings, mountPath: /etc/settings}
            - {name: password, mountPath: /etc/password}
            - {name: about, mountPath: /etc/pod}
            - {name: work, mountPath: /work}
          volumes:
          - {name: settings, configMap: {name: settings}}
          - {name: password, secret: {secretName: password}}
          - {name: about, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
          - {name: work, emptyDir: {}}
        """
            .formatted(Installation.REGISTRY));
    berth.awaitPhase("configured", "Running");
    String node = berth.pod("configured").at("/spec/nodeName").asString();
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertEquals(
                    "blue configured open-sesame "
                        + node
                        + "\nfirst\nopen-sesame\ntier=\"front\"\ntoken\n",
                    berth.kubectl("logs", "configured").run().expect(0).output()));
    berth
        .kubectl("patch", "configmap", "settings", "-p", "{\"data\":{\"file.txt\":\"second\"}}")
        .run()
        .expect(0);
    await()
        .atMost(Duration.ofSeconds(90))
        .until(
            () ->
                berth
                    .kubectl("exec", "configured", "--", "cat", "/etc/settings/file.txt")
                    .run()
                    .expect(0)
                    .output(),
            "second"::equals);
    berth
        .kubectl("exec", "configured", "--", "sh", "-c", "echo x > /work/y && cat /work/y")
        .run()
        .expect(0);
    berth.delete("configured");
  }

  @Test
  @DisplayName(
      "a Pod that asks for what is not there yet is refused, with every offending field named")
  void refused() {
    berth.apply(
        Installation.manifest(
            "too-much",
            "busybox",
            """
            livenessProbe: {httpGet: {port: 80}}
            lifecycle: {preStop: {exec: {command: ["true"]}}}
            """));
    berth.awaitPhase("too-much", "Failed");
    String message = berth.pod("too-much").at("/status/message").asString();
    assertTrue(message.contains("spec.containers[0].livenessProbe"), message);
    assertTrue(message.contains("spec.containers[0].lifecycle"), message);
    berth.awaitEvent("too-much", "spec.containers[0].livenessProbe");
    berth.delete("too-much");
  }
}
