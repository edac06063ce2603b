package dev.berth.cli.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("The kubelet's settings")
class KubeletSettingsTest {
  private static final List<String> NAMES =
      List.of(
          "node-name",
          "kubeconfig",
          "directory",
          "boot",
          "tls-certificate",
          "tls-key",
          "port",
          "parallel-starts",
          "network",
          "memory-limit",
          "cpu-limit",
          "allow-host-port",
          "kubernetes-service");

  @TempDir private Path directory = Path.of("");

  @Test
  @DisplayName("come from a file, and a flag wins over it")
  void fileAndFlags() throws IOException {
    KubeletSettings settings =
        read(
            """
            node-name: from-file
            port: 10251
            parallel-starts: 7
            memory-limit: 1.5Gi
            cpu-limit: 500m
            network:
              pods: 10.1.0.0/16
              storage: 10.2.0.0/24
            allow-host-port: [10.3.0.1:6443]
            kubernetes-service: 10.96.0.1:443=10.3.0.1:6443
            """,
            Map.of("port", List.of("10252")));
    assertEquals("from-file", settings.nodeName());
    assertEquals(7, settings.parallelStarts());
    assertEquals(10_252, settings.serving().port());
    assertEquals(3L << 29, local(settings).memory());
    assertEquals(500, local(settings).cpuMillis());
    assertEquals(List.of("pods", "storage"), List.copyOf(local(settings).networks().keySet()));
    Endpoint server = new Endpoint("10.3.0.1", 6443);
    assertEquals(List.of(server), local(settings).hostAccess().allowed());
    assertEquals(
        Map.of(new Endpoint("10.96.0.1", 443), server), local(settings).hostAccess().services());
  }

  @Test
  @DisplayName("have defaults")
  void defaults() throws IOException {
    KubeletSettings settings = read("{\"node-name\": \"vch-1\"}", Map.of());
    assertEquals(10_250, settings.serving().port());
    assertEquals(Map.of("pods", "10.222.0.0/24"), local(settings).networks());
    assertEquals(110, settings.pods());
    assertEquals(85, settings.registry().collectAbove());
    assertEquals(80, settings.registry().collectDownTo());
    assertEquals("cluster.local", settings.cluster().domain());
    assertEquals(256L << 20, settings.defaultMemory());
    assertEquals(KubeletSettings.startsOnThisMachine(), settings.parallelStarts());
  }

  @Test
  @DisplayName("write amounts as Kubernetes does")
  void quantities() {
    assertEquals(OptionalLong.of(1_500), Quantity.millis("1.5"));
    assertEquals(OptionalLong.of(250), Quantity.millis("250m"));
    assertEquals(OptionalLong.of(2_000_000), Quantity.units("2M"));
    assertEquals(OptionalLong.of(2L << 20), Quantity.units("2Mi"));
    for (String wrong : List.of("", "-1", "0", "1 Gi", "1gi", "9999999999T")) {
      assertEquals(OptionalLong.empty(), Quantity.units(wrong), wrong);
    }
  }

  private static BackendSettings.Local local(KubeletSettings settings) {
    return assertInstanceOf(BackendSettings.Local.class, settings.backend());
  }

  private KubeletSettings read(String content, Map<String, List<String>> flags) throws IOException {
    Path file = Files.writeString(directory.resolve("config.yaml"), content);
    Files.writeString(directory.resolve("boot.json"), "{}");
    Map<String, List<String>> all = new LinkedHashMap<>(flags);
    all.put("kubeconfig", List.of(file.toString()));
    all.put("tls-certificate", List.of(file.toString()));
    all.put("tls-key", List.of(file.toString()));
    all.put("directory", List.of(directory.toString()));
    all.put("boot", List.of(directory.toString()));
    Problems problems = new Problems();
    KubeletSettings settings =
        KubeletSettings.of(new Settings(NAMES, all, Optional.of(file), problems), problems);
    problems.raise();
    return settings;
  }
}
