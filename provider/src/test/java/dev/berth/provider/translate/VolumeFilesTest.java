package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.compute.FilesVolume;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Volumes hold the files that the kubelet would write")
class VolumeFilesTest {
  private static final FakeCluster CLUSTER =
      FakeCluster.of(
          """
          kind: ConfigMap
          metadata: {name: c, namespace: ns}
          data: {b: "2", a: "1"}
          binaryData: {raw: AP8=}
          """,
          """
          kind: Secret
          metadata: {name: s, namespace: ns}
          data: {key: c2VjcmV0, a: cw==}
          """);

  private static FilesVolume volume(String source, String spec) {
    String volumes = "volumes: [{name: v, %s}]\n%s".formatted(source, spec);
    return VolumeFiles.of(Pods.downward(Pods.pod("", volumes)), CLUSTER).getFirst();
  }

  /** Each file as {@code path=content mode}. */
  private static String files(String source) {
    return String.join(
        ", ", volume(source, "").files().stream().map(VolumeFilesTest::describe).toList());
  }

  private static String describe(FilesVolume.Entry file) {
    return "%s=%s %o"
        .formatted(
            file.path(), new String(file.content(), StandardCharsets.ISO_8859_1), file.mode());
  }

  private static String failure(String source) {
    return String.valueOf(
        assertThrows(VolumeException.class, () -> volume(source, "")).getMessage());
  }

  /** {@code MakePayload} in pkg/volume/configmap and pkg/volume/secret. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "configMap: {name: c}                                       | a=1 644, b=2 644, raw=\u0000\u00ff 644",
        "configMap: {name: c, defaultMode: 0400}                    | a=1 400, b=2 400, raw=\u0000\u00ff 400",
        "configMap: {name: c, items: [{key: a, path: d/x}, {key: b, path: y, mode: 0600}]} | d/x=1 644, y=2 600",
        "configMap: {name: c, items: [{key: raw, path: r}]}         | r=\u0000\u00ff 644",
        "configMap: {name: c, optional: true, items: [{key: no, path: n}, {key: a, path: x}]} | x=1 644",
        "configMap: {name: none, optional: true}                    | ''",
        "configMap: {name: none, optional: true, items: [{key: a, path: x}]} | ''",
        "secret: {secretName: s, defaultMode: 0440}                 | a=s 440, key=secret 440",
        "secret: {secretName: s, items: [{key: key, path: k, mode: 0400}]} | k=secret 400",
        "secret: {secretName: none, optional: true}                 | ''",
        "downwardAPI: {items: [{path: n, mode: 0400, fieldRef: {fieldPath: metadata.name}}]} | n=web-0 400",
        "downwardAPI: {defaultMode: 0600, items: [{path: m, resourceFieldRef: {containerName: main, resource: limits.cpu}}]} | m=4 600"
      })
  void single(String source, String expected) {
    assertEquals(expected, files(source));
  }

  /**
   * {@code collectData} in pkg/volume/projected: a later source's file replaces an earlier one's.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{configMap: {name: c}}, {secret: {name: s}}                | a=s 400, b=2 400, raw=\u0000\u00ff 400, key=secret 400",
        "{secret: {name: s}}, {configMap: {name: c, items: [{key: a, path: ./a, mode: 0644}]}} | a=1 644, key=secret 400",
        "{configMap: {name: c, items: [{key: a, path: d//x/}]}}     | d/x=1 400",
        "{secret: {name: none, optional: true}}, {downwardAPI: {items: [{path: u, fieldRef: {fieldPath: metadata.uid}}]}} | u=uid-1 400",
        "{serviceAccountToken: {path: t}}                           | t=robot for , 3600 s 400",
        "{serviceAccountToken: {path: t, audience: vault, expirationSeconds: 600}} | t=robot for vault, 600 s 400"
      })
  void projected(String sources, String expected) {
    assertEquals(
        expected, files("projected: {defaultMode: 0400, sources: [%s]}".formatted(sources)));
  }

  /** A token is 0600 and the user's where a user or group is given; the group's bit comes later. */
  @Test
  @DisplayName("tokens belong to runAsUser and fsGroup")
  void owners() {
    String token = "projected: {sources: [{serviceAccountToken: {path: t}}]}";
    FilesVolume of = volume(token, "securityContext: {runAsUser: 7, fsGroup: 9}");
    assertEquals(OptionalInt.of(7), of.user());
    assertEquals(OptionalInt.of(9), of.group());
    assertEquals(0600, of.files().getFirst().mode());
    assertEquals(0600, volume(token, "securityContext: {fsGroup: 9}").files().getFirst().mode());
    FilesVolume map = volume("configMap: {name: c}", "securityContext: {runAsUser: 7}");
    assertEquals(OptionalInt.empty(), map.user());
    assertEquals(0644, map.files().getFirst().mode());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "configMap: {name: none}                                  | configmap \"none\" not found",
        "secret: {secretName: none}                               | secret \"none\" not found",
        "configMap: {name: c, items: [{key: no, path: x}]}        | configmap references non-existent config key: no",
        "secret: {secretName: s, items: [{key: no, path: x}]}     | references non-existent secret key: no",
        "projected: {sources: [{configMap: {name: none}}]}        | configmap \"none\" not found"
      })
  void missing(String source, String message) {
    assertEquals("MountVolume.SetUp failed for volume \"v\" : " + message, failure(source));
  }

  /** {@code validatePath} in pkg/volume/util/atomic_writer.go. */
  @Test
  @DisplayName("paths that leave the volume or clash with its own links are refused")
  void paths() {
    for (String path :
        List.of(
            "/a",
            "..",
            "a/../b",
            "../a",
            "..data",
            "..data/x",
            ".",
            "x".repeat(256),
            "y/".repeat(2100) + "y")) {
      String found = failure("configMap: {name: c, items: [{key: a, path: '%s'}]}".formatted(path));
      assertEquals(
          "MountVolume.SetUp failed for volume \"v\" : invalid path:",
          found.substring(0, found.indexOf("path:") + 5));
    }
    assertEquals(
        "a..b/..c=1 644", files("configMap: {name: c, items: [{key: a, path: a..b/..c}]}"));
  }
}
