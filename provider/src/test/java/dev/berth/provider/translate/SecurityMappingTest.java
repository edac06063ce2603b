package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.ProcessSpec.Security;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Security contexts are merged as the kubelet and containerd do")
class SecurityMappingTest {
  private static Security security(String pod, String container, String imageUser) {
    Pod made =
        Pods.pod(
            "securityContext: {%s}".formatted(container), "securityContext: {%s}".formatted(pod));
    return SecurityMapping.of(made, Pods.container(made), imageUser, false);
  }

  private static Security container(String fields) {
    return security("", fields, "");
  }

  /** {@code DetermineEffectiveSecurityContext} in pkg/securitycontext. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // pod | container | image's USER | user
        "''                              | ''                              | app       | app",
        "''                              | ''                              | 7:8       | 7:8",
        "runAsUser: 1                    | ''                              | app:web   | 1",
        "runAsUser: 1                    | runAsUser: 2                    | app       | 2",
        "'runAsUser: 1, runAsGroup: 3'   | runAsUser: 2                    | app       | 2:3",
        "runAsGroup: 3                   | runAsGroup: 4                   | app:web   | app:4",
        "runAsGroup: 3                   | ''                              | ''        | 0:3",
        "runAsUser: 0                    | ''                              | 7         | 0"
      })
  void users(String pod, String container, String image, String user) {
    assertEquals(user, security(pod, container, image).user());
  }

  /** {@code verifyRunAsNonRoot} in pkg/kubelet/kuberuntime. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // pod | container | image's USER | beginning of the message, or empty when it may run
        "runAsNonRoot: true | ''                               | 7     | ''",
        "runAsNonRoot: true | runAsNonRoot: false              | 0     | ''",
        "runAsNonRoot: true | runAsUser: 7                     | root  | ''",
        "runAsUser: 0       | runAsNonRoot: true               | 7     | container's runAsUser breaks non-root policy",
        "runAsNonRoot: true | ''                               | ''    | container has runAsNonRoot and image will run as root",
        "runAsNonRoot: true | ''                               | 0:7   | container has runAsNonRoot and image will run as root",
        "runAsNonRoot: true | ''                               | app:7 | container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root",
        "runAsNonRoot: true | ''                               | 99999999999999999999 | container has runAsNonRoot and image has non-numeric user (99999999999999999999), cannot verify user is non-root"
      })
  void nonRoot(String pod, String container, String image, String message) {
    if (message.isEmpty()) {
      security(pod, container, image);
    } else {
      assertEquals(
          message + " (pod: \"web-0_ns(uid-1)\", container: main)",
          assertThrows(ConfigurationException.class, () -> security(pod, container, image))
              .getMessage());
    }
  }

  @Test
  @DisplayName("the pod's groups and sysctls reach the container")
  void ofPod() {
    Security found =
        security(
            "fsGroup: 5, supplementalGroups: [6, 7], sysctls: [{name: net.core.somaxconn, value: '9'}]",
            "",
            "");
    assertEquals(OptionalInt.of(5), found.filesystemGroup());
    assertEquals(List.of(6, 7), found.supplementaryGroups());
    assertEquals(Map.of("net.core.somaxconn", "9"), found.sysctls());
  }

  @Test
  @DisplayName("nothing asked for is containerd's default")
  void defaults() {
    Security found = container("");
    assertFalse(found.privileged() || found.noNewPrivileges() || found.seccomp());
    assertFalse(found.readOnlyRoot());
    assertEquals(Capabilities.DEFAULT, found.capabilities());
    assertTrue(found.maskedPaths().containsAll(List.of("/proc/kcore", "/sys/firmware")));
    assertTrue(found.readOnlyPaths().contains("/proc/sys"));
  }

  @Test
  @DisplayName("each flag is its own")
  void flags() {
    assertTrue(container("allowPrivilegeEscalation: false").noNewPrivileges());
    assertFalse(container("allowPrivilegeEscalation: true").noNewPrivileges());
    assertTrue(container("readOnlyRootFilesystem: true").readOnlyRoot());
    Security unmasked = container("procMount: Unmasked");
    assertEquals(List.of(), unmasked.maskedPaths());
    assertEquals(List.of(), unmasked.readOnlyPaths());
  }

  @Test
  @DisplayName("privileged means every capability, nothing masked and no filter")
  void privileged() {
    Security found =
        container(
            "privileged: true, seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [ALL]}");
    assertTrue(found.privileged());
    assertFalse(found.seccomp());
    assertEquals(Capabilities.ALL, found.capabilities());
    assertEquals(List.of(), found.maskedPaths());
  }

  /** {@code getSeccompProfile} in pkg/kubelet/kuberuntime. */
  @ParameterizedTest
  @CsvSource({
    "'',             '',             false, false",
    "'',             '',             true,  true",
    "RuntimeDefault, '',             false, true",
    "Unconfined,     '',             true,  false",
    "RuntimeDefault, Unconfined,     true,  false",
    "Unconfined,     RuntimeDefault, false, true"
  })
  void seccomp(String ofPod, String ofContainer, boolean byDefault, boolean filtered) {
    Pod pod = Pods.pod(profile(ofContainer), profile(ofPod));
    assertEquals(filtered, SecurityMapping.of(pod, Pods.container(pod), "", byDefault).seccomp());
  }

  private static String profile(String type) {
    return type.isEmpty() ? "" : "securityContext: {seccompProfile: {type: %s}}".formatted(type);
  }

  /** containerd's {@code WithCapabilities}: ALL first, then each by name, drops last. */
  @Test
  @DisplayName("capabilities are added and dropped in containerd's order")
  void capabilities() {
    assertEquals(Set.of("CAP_NET_BIND_SERVICE"), asked("add: [NET_BIND_SERVICE], drop: [ALL]"));
    assertEquals(Set.of(), asked("drop: [all]"));
    Set<String> more = asked("add: [net_admin, CAP_SYS_TIME], drop: [CHOWN]");
    assertTrue(more.containsAll(List.of("CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_KILL")));
    assertFalse(more.contains("CAP_CHOWN"));
    Set<String> nearly = asked("add: [ALL], drop: [SYS_ADMIN]");
    assertEquals(Capabilities.ALL.size() - 1, nearly.size());
    assertFalse(nearly.contains("CAP_SYS_ADMIN"));
    assertThrows(ConfigurationException.class, () -> asked("add: [NO_SUCH]"));
  }

  private static Set<String> asked(String fields) {
    return Set.copyOf(container("capabilities: {%s}".formatted(fields)).capabilities());
  }
}
