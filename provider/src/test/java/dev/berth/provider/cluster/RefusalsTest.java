package dev.berth.provider.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.memory.InMemoryPortLayer;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With what a real API server lets pass, and adds to it. */
@Tag("e2e")
@DisplayName("What a pod asks for and cannot have")
class RefusalsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String MOUNTED = "volumeMounts: [{name: v, mountPath: /v}]";

  private static final String PROBE = "{tcpSocket: {port: 80}}";
  private static final String SECOND = "{name: second, image: 'server:1'}";

  private static final ImageConfiguration SERVER =
      new ImageConfiguration(
          List.of("server"), List.of(), List.of(), "", "", Optional.empty(), List.of(), Map.of());

  /** What to refuse by the path to name; in the container's fields or, after a bar, the spec's. */
  private static final Map<String, String> ASKED = new LinkedHashMap<>();

  static {
    ASKED.put("spec.containers", "|containers: [%s]");
    ASKED.put("spec.initContainers", "|initContainers: [" + SECOND + "]");
    ASKED.put("spec.containers[0].livenessProbe", "livenessProbe: " + PROBE + "|");
    ASKED.put("spec.containers[0].readinessProbe", "readinessProbe: " + PROBE + "|");
    ASKED.put("spec.containers[0].startupProbe", "startupProbe: " + PROBE + "|");
    ASKED.put(
        "spec.containers[0].lifecycle", "lifecycle: {preStop: {exec: {command: [\"true\"]}}}|");
    ASKED.put(
        "spec.containers[0].volumeDevices",
        "volumeDevices: [{name: v, devicePath: /v}]|"
            + "volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]");
    ASKED.put(
        "spec.containers[0].ports[0].hostPort", "ports: [{containerPort: 80, hostPort: 80}]|");
    ASKED.put(
        "spec.containers[0].resources.limits.example.com/gpu",
        "resources: {limits: {example.com/gpu: 1}}|");
    ASKED.put(
        "spec.containers[0].securityContext.seccompProfile.type (Localhost)",
        "securityContext: {seccompProfile: {type: Localhost, localhostProfile: p}}|");
    ASKED.put(
        "spec.containers[0].securityContext.appArmorProfile.type (RuntimeDefault)",
        "securityContext: {appArmorProfile: {type: RuntimeDefault}}|");
    ASKED.put(
        "spec.containers[0].securityContext.seLinuxOptions",
        "securityContext: {seLinuxOptions: {level: 's0:c1'}}|");
    ASKED.put(
        "spec.securityContext.seLinuxOptions",
        "|securityContext: {seLinuxOptions: {level: 's0:c1'}}");
    ASKED.put("spec.hostNetwork", "|hostNetwork: true");
    ASKED.put("spec.hostPID", "|hostPID: true");
    ASKED.put("spec.hostIPC", "|hostIPC: true");
    ASKED.put("spec.shareProcessNamespace", "|shareProcessNamespace: true");
    ASKED.put("spec.resources", "|resources: {limits: {memory: 64Mi}}");
    volume("awsElasticBlockStore", "{volumeID: v}");
    volume("azureDisk", "{diskName: d, kind: Managed, diskURI: /subscriptions/s}");
    volume("azureFile", "{secretName: s, shareName: n}");
    volume("cephfs", "{monitors: [m]}");
    volume("cinder", "{volumeID: v}");
    volume("csi", "{driver: d.example.com}");
    volume(
        "ephemeral",
        "{volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}}");
    volume("fc", "{targetWWNs: [w], lun: 1}");
    volume("flexVolume", "{driver: d/d}");
    volume("flocker", "{datasetName: d}");
    volume("gcePersistentDisk", "{pdName: p}");
    volume("gitRepo", "{repository: r}");
    volume("glusterfs", "{endpoints: e, path: p}");
    volume("hostPath", "{path: /}");
    volume("image", "{reference: 'server:1'}");
    volume("iscsi", "{targetPortal: 't:1', iqn: iqn.2001-04.com.example:t, lun: 0}");
    volume("nfs", "{server: s, path: /}");
    volume("persistentVolumeClaim", "{claimName: c}");
    volume("photonPersistentDisk", "{pdID: p}");
    volume("portworxVolume", "{volumeID: v}");
    volume("quobyte", "{registry: 'r:1', volume: v}");
    volume("rbd", "{monitors: [m], image: i}");
    volume("scaleIO", "{gateway: g, system: s, volumeName: v, secretRef: {name: n}}");
    volume("storageos", "{volumeName: v}");
    volume("vsphereVolume", "{volumePath: v}");
  }

  private static void volume(String kind, String source) {
    ASKED.put(
        "spec.volumes[0]." + kind,
        MOUNTED + "|volumes: [{name: v, %s: %s}]".formatted(kind, source));
  }

  private static String manifest(int number, String asked) {
    int bar = asked.indexOf('|');
    String container =
        "{name: main, image: 'server:1'" + (bar == 0 ? "" : ", " + asked.substring(0, bar)) + "}";
    String spec = asked.substring(bar + 1);
    boolean several = spec.startsWith("containers");
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: refused-%d, namespace: default}
    spec:
      nodeName: %s
      terminationGracePeriodSeconds: 1
      %s
      %s
    """
        .formatted(
            number,
            ControlPlane.NODE,
            several
                ? "containers: [" + container + ", " + SECOND + "]"
                : "containers: [" + container + "]",
            several ? "" : spec);
  }

  @Test
  @DisplayName("is named by status and event, and nothing of the pod is made")
  void refused(@TempDir Path folder) throws Exception {
    try (ControlPlane controlPlane = ControlPlane.start(folder);
        KubernetesClient admin = controlPlane.admin();
        KubernetesClient node = controlPlane.node();
        InMemoryPortLayer portLayer = new InMemoryPortLayer();
        Provider provider =
            new Provider(
                ProviderConfiguration.defaults(ControlPlane.NODE, "127.0.0.1"),
                node,
                portLayer,
                new SimpleMeterRegistry())) {
      portLayer.addImage("server:1", SERVER);
      var accounts = admin.serviceAccounts().inNamespace("default");
      await().atMost(PATIENCE).until(() -> accounts.withName("default").get() != null);
      provider.start();
      Map<String, Pod> pods = new LinkedHashMap<>();
      List<String> invalid = new ArrayList<>();
      ASKED.forEach(
          (path, asked) -> {
            try {
              pods.put(path, create(admin, pods.size(), asked));
            } catch (KubernetesClientException e) {
              invalid.add(e.getStatus().getMessage());
            }
          });
      assertEquals(List.of(), invalid);
      pods.forEach((path, pod) -> assertRefused(admin, path, pod));
      assertEquals(List.of(), portLayer.compute().list());
      assertEquals(List.of(), portLayer.network().listEndpoints());
      assertEquals(List.of(), portLayer.storage().listDisks());
    }
  }

  private static Pod create(KubernetesClient admin, int number, String asked) {
    Pod pod = admin.getKubernetesSerialization().unmarshal(manifest(number, asked), Pod.class);
    return admin.resource(pod).create();
  }

  private static void assertRefused(KubernetesClient admin, String path, Pod created) {
    Pod failed =
        admin
            .resource(created)
            .waitUntilCondition(
                pod -> pod != null && "Failed".equals(pod.getStatus().getPhase()),
                PATIENCE.toSeconds(),
                java.util.concurrent.TimeUnit.SECONDS);
    assertEquals("UnsupportedPodSpec", failed.getStatus().getReason(), path);
    assertNames(path, failed.getStatus().getMessage());
    String uid = created.getMetadata().getUid();
    await()
        .alias("event of " + path)
        .atMost(PATIENCE)
        .untilAsserted(
            () -> {
              List<String> told =
                  admin.v1().events().inNamespace("default").list().getItems().stream()
                      .filter(event -> uid.equals(event.getInvolvedObject().getUid()))
                      .filter(event -> "UnsupportedPodSpec".equals(event.getReason()))
                      .map(Event::getMessage)
                      .toList();
              assertEquals(1, told.size());
              assertNames(path, told.getFirst());
            });
  }

  private static void assertNames(String path, String message) {
    List<String> named = List.of(message.replaceFirst(".*does not support ", "").split(", ", -1));
    assertTrue(
        named.stream().anyMatch(field -> field.equals(path) || field.startsWith(path + " (")),
        path + ": " + message);
  }
}
