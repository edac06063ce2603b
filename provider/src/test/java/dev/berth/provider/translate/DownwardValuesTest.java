package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.api.model.ObjectFieldSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("What a pod learns about itself is what the kubelet would tell")
class DownwardValuesTest {
  private static final Pod POD =
      Pods.pod(
          """
          resources:
            limits: {cpu: 1200m, memory: "100000001", ephemeral-storage: "0"}
            requests: {cpu: 250m, memory: 64Mi}
          """,
          "");

  private static String field(String path) {
    return Pods.downward(POD).field(new ObjectFieldSelector("v1", path));
  }

  private static String resource(Pod pod, String selector) {
    return Pods.downward(pod)
        .resource(
            Pods.SERIALIZATION.unmarshal(selector.replace(", ", "\n"), ResourceFieldSelector.class),
            Pods.container(pod));
  }

  /** {@code podFieldSelectorRuntimeValue} in pkg/kubelet/kubelet_pods.go. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "metadata.name                 | web-0",
        "metadata.namespace            | ns",
        "metadata.uid                  | uid-1",
        "metadata.labels['app']        | web",
        "metadata.labels['none']       | ''",
        "metadata.annotations['none']  | ''",
        "spec.nodeName                 | node-1",
        "spec.host                     | node-1",
        "spec.serviceAccountName       | robot",
        "status.hostIP                 | 192.0.2.1",
        "status.hostIPs                | 192.0.2.1,2001:db8::1",
        "status.podIP                  | 10.0.0.7",
        "status.podIPs                 | 10.0.0.7,fd00::7"
      })
  void fields(String path, String expected) {
    assertEquals(expected, field(path));
  }

  /** {@code FormatMap} in pkg/fieldpath, which quotes as Go does. */
  @Test
  @DisplayName("labels and annotations are sorted lines of key and quoted value")
  void maps() {
    assertEquals("app=\"web\"\ntier=\"back\\\"end\"", field("metadata.labels"));
    assertEquals("note=\"two\\nlines \\u00a0\\u200b\\x7f\\a ü\"", field("metadata.annotations"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"metadata.generation", "spec.nodeName['x']", "metadata.labels['x"})
  void unknownFields(String path) {
    assertEquals(
        "unsupported fieldPath: " + path,
        assertThrows(ConfigurationException.class, () -> field(path)).getMessage());
  }

  /**
   * {@code ExtractContainerResourceValue} in pkg/api/v1/resource, and {@code
   * MergeContainerResourceLimits} for limits that are not set or zero.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "resource: limits.cpu                                 | 2",
        "resource: limits.cpu, divisor: 1m                    | 1200",
        "resource: limits.cpu, divisor: '0'                   | 2",
        "resource: requests.cpu                               | 1",
        "resource: requests.cpu, divisor: 1m                  | 250",
        "resource: limits.memory                              | 100000001",
        "resource: limits.memory, divisor: 1Mi                | 96",
        "resource: limits.memory, divisor: 1M                 | 101",
        "resource: requests.memory, divisor: 1Ki              | 65536",
        "resource: requests.memory, containerName: main       | 67108864",
        "resource: limits.ephemeral-storage, divisor: 1Gi     | 20",
        "resource: requests.ephemeral-storage                 | 0"
      })
  void resources(String selector, String expected) {
    assertEquals(expected, resource(POD, selector));
  }

  @Test
  @DisplayName("the node's allocatable stands in for limits, not for requests")
  void allocatable() {
    Pod bare = Pods.pod("", "");
    assertEquals("4", resource(bare, "resource: limits.cpu"));
    assertEquals("3500", resource(bare, "resource: limits.cpu, divisor: 1m"));
    assertEquals("8", resource(bare, "resource: limits.memory, divisor: 1Gi"));
    assertEquals("0", resource(bare, "resource: requests.memory"));
  }

  @Test
  @DisplayName("an unknown container or resource is an error")
  void unknown() {
    assertThrows(
        ConfigurationException.class,
        () -> resource(POD, "resource: limits.cpu, containerName: other"));
    assertThrows(ConfigurationException.class, () -> resource(POD, "resource: cpu"));
  }
}
