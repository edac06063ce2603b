package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.storage.RegistryCredentials;
import dev.berth.provider.lifecycle.PodEvent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * After {@code getPullSecretsForPod} in pkg/kubelet/kubelet_pods.go and pkg/credentialprovider. The
 * kubelet fails a pull at a malformed secret without naming it; here it is told by name, and the
 * pull tried without it.
 */
@DisplayName("Pull secrets give credentials, and the bad ones are told")
class PullSecretsTest {
  private final List<PodEvent> events = new ArrayList<>();

  private static String encoded(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String secret(String name, String type, String key, String content) {
    return "kind: Secret\nmetadata: {name: %s, namespace: ns}\ntype: %s\ndata: {%s: %s}\n"
        .formatted(name, type, key, encoded(content));
  }

  private static String docker(String name, String auths) {
    return secret(
        name,
        "kubernetes.io/dockerconfigjson",
        ".dockerconfigjson",
        "{\"auths\":{%s}}".formatted(auths));
  }

  private List<RegistryCredentials> read(FakeCluster cluster, String names) {
    return PullSecrets.of(
        Pods.pod("", "imagePullSecrets: [%s]".formatted(names)), cluster, events::add);
  }

  /** {@code DockerConfigEntry.UnmarshalJSON}: auth wins over username and password. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"username\":\"u\",\"password\":\"p\"                       | u | p     | false",
        "\"auth\":\"dTpwOnE=\"                                       | u | p:q   | false",
        "\"auth\":\"dTpwOnE\"                                        | u | p:q   | false",
        "\"auth\":\"dTpwOnE=\",\"username\":\"x\",\"password\":\"y\" | u | p:q   | false",
        "\"identitytoken\":\"t\",\"auth\":\"dTpwOnE=\"               | `` | t    | true"
      })
  void entries(String entry, String user, String secret, boolean token) {
    List<RegistryCredentials> found =
        read(FakeCluster.of(docker("s", "\"r.example.com\":{%s}".formatted(entry))), "{name: s}");
    assertEquals(List.of(new RegistryCredentials("r.example.com", user, secret, token)), found);
    assertEquals(List.of(), events);
  }

  @Test
  @DisplayName("all secrets count, the older format too, in their order")
  void several() {
    FakeCluster cluster =
        FakeCluster.of(
            docker(
                "new",
                "\"a\":{\"auth\":\"dTpw\"},\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"},\"nobody\":{}"),
            secret("old", "kubernetes.io/dockercfg", ".dockercfg", "{\"b\":{\"auth\":\"dTpw\"}}"));
    assertEquals(
        List.of("a", "https://index.docker.io/v1/", "b"),
        read(cluster, "{name: new}, {name: old}").stream()
            .map(RegistryCredentials::scope)
            .toList());
    assertEquals(List.of(), events);
  }

  @Test
  @DisplayName("one event names every secret that is missing, malformed or of another type")
  void unusable() {
    FakeCluster cluster =
        FakeCluster.of(
            docker("good", "\"a\":{\"auth\":\"dTpw\"}"),
            docker("half", "\"b\":{\"auth\":\"dTpw\"},\"c\":{\"auth\":\"dQ==\"}"),
            docker("garbled", "\"d\":{\"auth\":\"d!T*p$w\"}"),
            secret("text", "kubernetes.io/dockerconfigjson", ".dockerconfigjson", "not JSON"),
            secret(
                "opaque", "Opaque", ".dockerconfigjson", "{\"auths\":{\"e\":{\"auth\":\"dTpw\"}}}"),
            secret("empty", "kubernetes.io/dockercfg", "other", "{}"));
    List<RegistryCredentials> found =
        read(
            cluster,
            "{name: ''}, {name: none}, {name: half}, {name: garbled}, {name: text}, {name: opaque}, {name: empty}, {name: good}");
    assertEquals(List.of("a"), found.stream().map(RegistryCredentials::scope).toList());
    assertEquals(
        List.of(
            PodEvent.warning(
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (none, half, garbled, text, opaque, empty); attempting to pull the image may not succeed.")),
        events);
  }
}
