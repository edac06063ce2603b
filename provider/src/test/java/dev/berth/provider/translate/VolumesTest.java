package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import dev.berth.provider.lifecycle.Names;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** After {@code makeMounts} in pkg/kubelet/kubelet_pods.go. */
@DisplayName("Volumes are mounted as the kubelet would")
class VolumesTest {
  private static final String VOLUMES =
      """
      volumes:
      - {name: config, configMap: {name: c}}
      - {name: scratch, emptyDir: {}}
      - {name: limited, emptyDir: {sizeLimit: 1Gi}}
      - {name: tiny, emptyDir: {sizeLimit: 1Ki}}
      - {name: memory, emptyDir: {medium: Memory, sizeLimit: 8Mi}}
      """;
  private static final Map<String, String> ENVIRONMENT =
      Map.of("POD", "web-0", "EMPTY", "", "UP", "..", "ROOT", "/etc");

  private static Mount mount(String fields) {
    Pod pod = Pods.pod("volumeMounts: [{%s}]".formatted(fields), VOLUMES);
    return Volumes.mounts(pod, Pods.container(pod), ENVIRONMENT).getFirst();
  }

  @Test
  @DisplayName("a volume's kind decides what is mounted, and files are read-only")
  void sources() {
    assertEquals(
        new Mount("/m", new Source.Files("config"), true, ""),
        mount("name: config, mountPath: /m, readOnly: false"));
    assertEquals(
        new Mount("/m", new Source.ScratchDirectory("scratch"), false, ""),
        mount("name: scratch, mountPath: /m"));
    assertEquals(
        new Mount("/m", new Source.Disk(Names.volumeDisk("uid-1", "limited")), true, ""),
        mount("name: limited, mountPath: /m, readOnly: true"));
    assertEquals(
        new Mount("/m", new Source.Memory("memory", 8 << 20), false, ""),
        mount("name: memory, mountPath: /m"));
  }

  @Test
  @DisplayName("an emptyDir with a limit is a disk of that size, or the smallest there is")
  void disks() {
    assertEquals(
        List.of(1L << 30, Volumes.SMALLEST_DISK),
        Volumes.disks(Pods.pod("", VOLUMES)).stream().map(Volumes.VolumeDisk::size).toList());
  }

  @Test
  @DisplayName("a relative path begins at the root")
  void relative() {
    assertEquals("/data", mount("name: scratch, mountPath: data").destination());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "subPath: a/b          | a/b",
        "subPath: a..b/..c     | a..b/..c",
        "subPath: $(POD)       | $(POD)",
        "subPathExpr: x/$(POD) | x/web-0",
        "subPathExpr: $$(POD)  | $(POD)"
      })
  void subPaths(String field, String expected) {
    assertEquals(expected, mount("name: scratch, mountPath: /m, " + field).subPath());
  }

  /** {@code ExpandContainerVolumeMounts} and {@code ValidatePathNoBacksteps}. */
  @ParameterizedTest
  @CsvSource({
    "subPath: /a",
    "subPath: a/../b",
    "subPath: ..",
    "subPathExpr: $(UP)/b",
    "subPathExpr: $(ROOT)",
    "subPathExpr: $(UNKNOWN)",
    "subPathExpr: x$(EMPTY)"
  })
  void refusedSubPaths(String field) {
    assertThrows(
        ConfigurationException.class, () -> mount("name: scratch, mountPath: /m, " + field));
  }

  @Test
  @DisplayName("a mount of no volume is an error")
  void unknown() {
    assertEquals(
        List.of("cannot find volume \"none\" to mount into container \"main\""),
        Stream.of(
                assertThrows(
                    ConfigurationException.class, () -> mount("name: none, mountPath: /m")))
            .map(Throwable::getMessage)
            .toList());
  }
}
