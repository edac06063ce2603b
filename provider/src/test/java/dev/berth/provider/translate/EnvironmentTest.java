package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.provider.ProviderConfiguration.HostAndPort;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** After {@code makeEnvironmentVariables} in pkg/kubelet/kubelet_pods.go. */
@DisplayName("A container's environment is what the kubelet would make")
class EnvironmentTest {
  private static final FakeCluster CLUSTER =
      FakeCluster.of(
          """
          kind: ConfigMap
          metadata: {name: settings, namespace: ns}
          data: {COLOR: blue, SIZE: "10", dotted.key: x}
          """,
          """
          kind: ConfigMap
          metadata: {name: binary, namespace: ns}
          binaryData: {BLOB: AAE=}
          """,
          """
          kind: Secret
          metadata: {name: login, namespace: ns}
          data: {USER: YWxpY2U=, RAW: /w==}
          """,
          """
          kind: Secret
          metadata: {name: plain, namespace: ns}
          data: {COLOR: cmVk}
          """,
          """
          kind: Service
          metadata: {name: kubernetes, namespace: default}
          spec: {clusterIP: 10.0.0.1, ports: [{name: https, port: 443, protocol: TCP}]}
          """,
          """
          kind: Service
          metadata: {name: data-base, namespace: ns}
          spec: {clusterIP: 10.0.0.9, ports: [{name: client-a, port: 1, protocol: TCP}, {port: 2, protocol: UDP}]}
          """,
          """
          kind: Service
          metadata: {name: headless, namespace: ns}
          spec: {clusterIP: None, ports: [{port: 3}]}
          """);

  private static Map<String, String> environment(String container, String spec) {
    Pod pod = Pods.pod(container, spec);
    return Environment.of(Pods.container(pod), Pods.downward(pod), CLUSTER, Optional.empty());
  }

  private static String failure(String container) {
    return String.valueOf(
        assertThrows(ConfigurationException.class, () -> environment(container, "")).getMessage());
  }

  private static String valueOf(String source) {
    return environment("env: [{name: X, valueFrom: {%s}}]".formatted(source), "")
        .getOrDefault("X", "(not set)");
  }

  /** The cases of third_party/forked/golang/expansion and the variables of a declared order. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "$(A)              | 1",
        "x$(A)-$(B)y       | x1-2y",
        "$$(A)             | $(A)",
        "$$$(A)            | $1",
        "$(LATER)          | $(LATER)",
        "$(UNKNOWN)        | $(UNKNOWN)",
        "$A $ $            | $A $ $",
        "$(A               | $(A",
        "$()               | $()",
        "$(A$(B))          | $(A$(B))",
        "$(DATA_BASE_SERVICE_HOST) | 10.0.0.9"
      })
  void expansion(String value, String expected) {
    assertEquals(
        expected,
        environment(
                """
                env:
                - {name: A, value: "1"}
                - {name: B, value: "2"}
                - {name: X, value: "%s"}
                - {name: LATER, value: "3"}
                """
                    .formatted(value),
                "")
            .get("X"));
  }

  @Test
  @DisplayName("env wins over envFrom, a later envFrom over an earlier one, and sees them")
  void precedence() {
    Map<String, String> found =
        environment(
            """
            envFrom:
            - configMapRef: {name: settings}
            - secretRef: {name: plain, optional: true}
            - {prefix: CM_, configMapRef: {name: settings}}
            - configMapRef: {name: none, optional: true}
            - configMapRef: {name: binary}
            env:
            - {name: SIZE, value: "$(SIZE)0"}
            - {name: KUBERNETES_SERVICE_PORT, value: "1"}
            - {name: EMPTY}
            """,
            "");
    assertEquals("red", found.get("COLOR"));
    assertEquals("blue", found.get("CM_COLOR"));
    assertEquals("100", found.get("SIZE"));
    assertEquals("x", found.get("dotted.key"));
    assertEquals("1", found.get("KUBERNETES_SERVICE_PORT"));
    assertEquals("", found.get("EMPTY"));
    assertFalse(found.containsKey("BLOB"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "configMapKeyRef: {name: settings, key: COLOR}              | blue",
        "configMapKeyRef: {name: settings, key: no, optional: true} | (not set)",
        "configMapKeyRef: {name: none, key: no, optional: true}     | (not set)",
        "secretKeyRef: {name: login, key: USER}                     | alice",
        "secretKeyRef: {name: login, key: no, optional: true}       | (not set)",
        "secretKeyRef: {name: none, key: no, optional: true}        | (not set)",
        "fieldRef: {fieldPath: metadata.name}                       | web-0",
        "resourceFieldRef: {resource: limits.cpu}                   | 4"
      })
  void sources(String source, String expected) {
    assertEquals(expected, valueOf(source));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "configMapKeyRef: {name: settings, key: no} | couldn't find key no in ConfigMap ns/settings",
        "configMapKeyRef: {name: none, key: no}     | configmap \"none\" not found",
        "secretKeyRef: {name: login, key: no}       | couldn't find key no in Secret ns/login",
        "secretKeyRef: {name: none, key: no}        | secret \"none\" not found",
        "secretKeyRef: {name: login, key: RAW}      | key RAW in Secret ns/login is not UTF-8 text, which an environment variable must be"
      })
  void failures(String source, String message) {
    assertEquals(message, failure("env: [{name: X, valueFrom: {%s}}]".formatted(source)));
  }

  @Test
  @DisplayName("a missing envFrom is an error")
  void missingSource() {
    assertEquals(
        "configmap \"none\" not found", failure("envFrom: [{configMapRef: {name: none}}]"));
    assertEquals("secret \"none\" not found", failure("envFrom: [{secretRef: {name: none}}]"));
  }

  /** {@code FromServices} and {@code makeLinkVariables} in pkg/kubelet/envvars. */
  @Test
  @DisplayName("services are variables and links; headless ones are not")
  void services() {
    assertEquals(
        Map.ofEntries(
            Map.entry("DATA_BASE_SERVICE_HOST", "10.0.0.9"),
            Map.entry("DATA_BASE_SERVICE_PORT", "1"),
            Map.entry("DATA_BASE_SERVICE_PORT_CLIENT_A", "1"),
            Map.entry("DATA_BASE_PORT", "tcp://10.0.0.9:1"),
            Map.entry("DATA_BASE_PORT_1_TCP", "tcp://10.0.0.9:1"),
            Map.entry("DATA_BASE_PORT_1_TCP_PROTO", "tcp"),
            Map.entry("DATA_BASE_PORT_1_TCP_PORT", "1"),
            Map.entry("DATA_BASE_PORT_1_TCP_ADDR", "10.0.0.9"),
            Map.entry("DATA_BASE_PORT_2_UDP", "udp://10.0.0.9:2"),
            Map.entry("DATA_BASE_PORT_2_UDP_PROTO", "udp"),
            Map.entry("DATA_BASE_PORT_2_UDP_PORT", "2"),
            Map.entry("DATA_BASE_PORT_2_UDP_ADDR", "10.0.0.9"),
            Map.entry("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
            Map.entry("KUBERNETES_SERVICE_PORT", "443"),
            Map.entry("KUBERNETES_SERVICE_PORT_HTTPS", "443"),
            Map.entry("KUBERNETES_PORT", "tcp://10.0.0.1:443"),
            Map.entry("KUBERNETES_PORT_443_TCP", "tcp://10.0.0.1:443"),
            Map.entry("KUBERNETES_PORT_443_TCP_PROTO", "tcp"),
            Map.entry("KUBERNETES_PORT_443_TCP_PORT", "443"),
            Map.entry("KUBERNETES_PORT_443_TCP_ADDR", "10.0.0.1")),
        environment("", ""));
  }

  @Test
  @DisplayName("without service links only the API server's are there, at the address given")
  void noLinks() {
    Pod pod = Pods.pod("", "enableServiceLinks: false");
    Map<String, String> found =
        Environment.of(
            Pods.container(pod),
            Pods.downward(pod),
            CLUSTER,
            Optional.of(new HostAndPort("192.0.2.9", 6443)));
    assertFalse(found.containsKey("DATA_BASE_SERVICE_HOST"));
    assertEquals("192.0.2.9", found.get("KUBERNETES_SERVICE_HOST"));
    assertEquals("6443", found.get("KUBERNETES_SERVICE_PORT_HTTPS"));
  }
}
