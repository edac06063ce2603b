package dev.berth.provider.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.memory.InMemoryPortLayer;
import dev.berth.portlayer.memory.Operation;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("e2e")
@DisplayName("Volumes of a running pod follow the API server")
class LiveVolumesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration REFRESH = Duration.ofMillis(500);
  private static final ImageConfiguration SERVER =
      new ImageConfiguration(
          List.of("server"), List.of(), List.of(), "", "", Optional.empty(), List.of(), Map.of());

  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: live, namespace: default}
      spec:
        nodeName: %s
        terminationGracePeriodSeconds: 1
        containers:
        - name: main
          image: server:1
          volumeMounts: [{name: both, mountPath: /both}]
        volumes:
        - name: both
          projected:
            sources:
            - configMap: {name: changing}
            - configMap: {name: fixed}
      """
          .formatted(ControlPlane.NODE);

  @Test
  @DisplayName("a changed ConfigMap arrives, one that is immutable is not read again")
  void follow(@TempDir Path folder) throws Exception {
    try (ControlPlane controlPlane = ControlPlane.start(folder);
        KubernetesClient admin = controlPlane.admin();
        KubernetesClient node = controlPlane.node();
        InMemoryPortLayer portLayer = new InMemoryPortLayer();
        Provider provider = provider(node, portLayer)) {
      portLayer.addImage("server:1", SERVER);
      var accounts = admin.serviceAccounts().inNamespace("default");
      await().atMost(PATIENCE).until(() -> accounts.withName("default").get() != null);
      provider.start();
      admin.resource(map("changing", "colour", "blue", false)).create();
      ConfigMap fixed = admin.resource(map("fixed", "size", "ten", true)).create();
      Pod pod =
          admin.resource(admin.getKubernetesSerialization().unmarshal(POD, Pod.class)).create();
      String vm = pod.getMetadata().getUid() + ".main";
      awaitContent(portLayer, vm, "colour", "blue");

      // Were it read again, the pod's volume would have no content any more.
      admin.resource(fixed).delete();
      admin.resource(map("changing", "colour", "red", false)).update();
      awaitContent(portLayer, vm, "colour", "red");
      assertEquals("ten", content(portLayer, vm, "size"));

      int writes = portLayer.calls(Operation.WRITE_VOLUME);
      await()
          .during(REFRESH.multipliedBy(4))
          .atMost(PATIENCE)
          .until(() -> portLayer.calls(Operation.WRITE_VOLUME) == writes);
    }
  }

  private static Provider provider(KubernetesClient node, InMemoryPortLayer portLayer) {
    ProviderConfiguration defaults = ProviderConfiguration.defaults(ControlPlane.NODE, "127.0.0.1");
    return new Provider(
        new ProviderConfiguration(
            defaults.node(),
            defaults.limits(),
            defaults.cluster(),
            defaults.containers(),
            defaults.hostGroups(),
            defaults.images(),
            new ProviderConfiguration.Timing(
                defaults.timing().resync(),
                REFRESH,
                defaults.timing().heartbeat(),
                defaults.timing().orphanCheck())),
        node,
        portLayer,
        new SimpleMeterRegistry());
  }

  private static ConfigMap map(String name, String key, String value, boolean immutable) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace("default")
        .endMetadata()
        .addToData(key, value)
        .withImmutable(immutable)
        .build();
  }

  private static void awaitContent(
      InMemoryPortLayer portLayer, String vm, String file, String content) {
    await()
        .atMost(PATIENCE)
        .ignoreExceptions()
        .until(() -> content(portLayer, vm, file).equals(content));
  }

  private static String content(InMemoryPortLayer portLayer, String vm, String file)
      throws IOException {
    ExecSpec cat = new ExecSpec(List.of("cat", "/both/" + file), false, false, Optional.empty());
    try (ProcessSession session = portLayer.interaction().exec(vm, cat)) {
      return new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
