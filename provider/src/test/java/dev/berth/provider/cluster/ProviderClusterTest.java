package dev.berth.provider.cluster;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.memory.InMemoryPortLayer;
import dev.berth.portlayer.memory.Operation;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.api.PodDirectory;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("e2e")
@DisplayName("A provider on a real API server, with the rights of a node only")
class ProviderClusterTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String NAMESPACE = "default";
  private static final ImageConfiguration SERVER =
      new ImageConfiguration(
          List.of("server"),
          List.of(),
          List.of("PATH=/bin"),
          "",
          "",
          Optional.empty(),
          List.of(),
          Map.of());

  private static @Nullable ControlPlane controlPlane;
  private static @Nullable KubernetesClient adminClient;

  private final InMemoryPortLayer portLayer = new InMemoryPortLayer();
  private @Nullable KubernetesClient nodeClient;
  private @Nullable Provider provider;

  @BeforeAll
  static void startControlPlane(@TempDir Path folder) throws Exception {
    controlPlane = ControlPlane.start(folder);
    adminClient = controlPlane.admin();
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                admin().serviceAccounts().inNamespace(NAMESPACE).withName("default").get() != null);
  }

  @AfterAll
  static void stopControlPlane() throws Exception {
    if (adminClient != null) {
      adminClient.close();
    }
    if (controlPlane != null) {
      controlPlane.close();
    }
  }

  @BeforeEach
  void startProvider() throws Exception {
    portLayer.addImage("server:1", SERVER);
    nodeClient = Objects.requireNonNull(controlPlane).node();
    provider = newProvider();
    provider.start();
  }

  @AfterEach
  void stopProvider() {
    admin().pods().inNamespace(NAMESPACE).withGracePeriod(1).delete();
    await()
        .atMost(PATIENCE)
        .until(() -> admin().pods().inNamespace(NAMESPACE).list().getItems().isEmpty());
    Objects.requireNonNull(provider).close();
    Objects.requireNonNull(nodeClient).close();
    portLayer.close();
  }

  private Provider newProvider() {
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
                Duration.ofSeconds(30),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                Duration.ofMinutes(5))),
        Objects.requireNonNull(nodeClient),
        portLayer,
        new SimpleMeterRegistry());
  }

  private static KubernetesClient admin() {
    return Objects.requireNonNull(adminClient);
  }

  private static Pod create(String name, UnaryOperator<PodBuilder> more) {
    PodBuilder builder =
        new PodBuilder()
            .withNewMetadata()
            .withName(name)
            .withNamespace(NAMESPACE)
            .endMetadata()
            .withNewSpec()
            .withNodeName(ControlPlane.NODE)
            .withTerminationGracePeriodSeconds(5L)
            .addNewContainer()
            .withName("main")
            .withImage("server:1")
            .endContainer()
            .endSpec();
    return admin().resource(more.apply(builder).build()).create();
  }

  private static Pod awaitPod(String name, Predicate<Pod> condition) {
    return admin()
        .pods()
        .inNamespace(NAMESPACE)
        .withName(name)
        .waitUntilCondition(
            pod -> pod != null && condition.test(pod),
            PATIENCE.toSeconds(),
            java.util.concurrent.TimeUnit.SECONDS);
  }

  private static Pod awaitPhase(String name, String phase) {
    return awaitPod(name, pod -> phase.equals(pod.getStatus().getPhase()));
  }

  private static ContainerStatus container(Pod pod) {
    return pod.getStatus().getContainerStatuses().getFirst();
  }

  private static String vm(Pod pod) {
    return pod.getMetadata().getUid() + ".main";
  }

  private static List<Event> events(Pod pod) {
    return admin().v1().events().inNamespace(NAMESPACE).list().getItems().stream()
        .filter(event -> pod.getMetadata().getUid().equals(event.getInvolvedObject().getUid()))
        .toList();
  }

  private static void awaitEvent(Pod pod, String reason, String message) {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                events(pod).stream()
                    .anyMatch(
                        event ->
                            reason.equals(event.getReason())
                                && event.getMessage().contains(message)));
  }

  @Test
  @DisplayName("registers a tainted node that is ready, and renews its lease")
  void registersNode() {
    Node node = admin().nodes().withName(ControlPlane.NODE).get();
    assertTrue(
        node.getSpec().getTaints().stream()
            .anyMatch(taint -> taint.getKey().equals("virtual-kubelet.io/provider")));
    assertEquals("virtual-kubelet", node.getMetadata().getLabels().get("type"));
    assertTrue(
        node.getStatus().getConditions().stream()
            .anyMatch(
                condition ->
                    condition.getType().equals("Ready") && condition.getStatus().equals("True")));
    assertEquals(10250, node.getStatus().getDaemonEndpoints().getKubeletEndpoint().getPort());
    var leases = admin().leases().inNamespace("kube-node-lease").withName(ControlPlane.NODE);
    await().atMost(PATIENCE).until(() -> leases.get() != null);
    var first = leases.get().getSpec().getRenewTime();
    await().atMost(PATIENCE).until(() -> leases.get().getSpec().getRenewTime().isAfter(first));
    assertEquals(40, leases.get().getSpec().getLeaseDurationSeconds());
  }

  @Test
  @DisplayName("follows the pool's limits within seconds")
  void followsCapacity() {
    portLayer.changeCapacity(new Capacity(7_000, 7L << 30, 77, 1 << 20));
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                new Quantity("7")
                    .equals(
                        admin()
                            .nodes()
                            .withName(ControlPlane.NODE)
                            .get()
                            .getStatus()
                            .getCapacity()
                            .get("cpu")));
  }

  @Test
  @DisplayName("runs a pod, writes its status once, tells what it did, and deletes it")
  void runsPod() {
    Pod created = create("web", pod -> pod);
    Pod running = awaitPhase("web", "Running");
    assertTrue(container(running).getReady());
    assertEquals("berth://" + vm(created), container(running).getContainerID());
    assertNotNull(running.getStatus().getPodIP());
    assertEquals("127.0.0.1", running.getStatus().getHostIP());
    assertTrue(
        running.getStatus().getConditions().stream()
            .allMatch(condition -> condition.getStatus().equals("True")));
    for (String reason : List.of("Pulling", "Pulled", "Created", "Started")) {
      awaitEvent(created, reason, "");
    }
    PodDirectory.ContainerTarget target =
        Objects.requireNonNull(provider)
            .directory()
            .container(NAMESPACE, "web", Optional.empty(), "main");
    assertEquals(vm(created), target.containerVmId());
    assertEquals(0, target.currentAttempt().orElseThrow());
    String version = running.getMetadata().getResourceVersion();
    admin().resource(created).delete();
    await()
        .atMost(PATIENCE)
        .until(() -> admin().pods().inNamespace(NAMESPACE).withName("web").get() == null);
    assertNotNull(version);
    assertEquals(List.of(), portLayer.compute().list());
    assertEquals(List.of(), portLayer.storage().listDisks());
    assertEquals(List.of(), portLayer.network().listEndpoints());
  }

  @Test
  @DisplayName("writes no status again that has not changed")
  void writesOnce() {
    create("still", pod -> pod);
    Pod running = awaitPhase("still", "Running");
    String version = running.getMetadata().getResourceVersion();
    portLayer.changeCapacity(new Capacity(9_000, 9L << 30, 99, 1 << 20));
    await()
        .during(Duration.ofSeconds(3))
        .atMost(PATIENCE)
        .until(
            () ->
                version.equals(
                    admin()
                        .pods()
                        .inNamespace(NAMESPACE)
                        .withName("still")
                        .get()
                        .getMetadata()
                        .getResourceVersion()));
  }

  @Test
  @DisplayName("restarts a container that ended, at once and then with a back-off")
  void restarts() {
    Pod created = create("crash", pod -> pod);
    awaitPhase("crash", "Running");
    portLayer.endProcess(vm(created), 3);
    awaitPod("crash", pod -> container(pod).getRestartCount() == 1 && container(pod).getReady());
    portLayer.endProcess(vm(created), 3);
    Pod waiting =
        awaitPod(
            "crash",
            pod ->
                container(pod).getState().getWaiting() != null
                    && "CrashLoopBackOff"
                        .equals(container(pod).getState().getWaiting().getReason()));
    assertEquals(3, container(waiting).getLastState().getTerminated().getExitCode());
    assertEquals("Running", waiting.getStatus().getPhase());
    awaitEvent(
        created, "BackOff", "Back-off restarting failed container main in pod crash_default");
    awaitPod("crash", pod -> container(pod).getRestartCount() == 2 && container(pod).getReady());
  }

  @Test
  @DisplayName("calls a pod that is done Succeeded, and powers its VM off")
  void succeeds() {
    Pod created = create("job", pod -> pod.editSpec().withRestartPolicy("Never").endSpec());
    awaitPhase("job", "Running");
    portLayer.endProcess(vm(created), 0);
    Pod done = awaitPhase("job", "Succeeded");
    assertEquals("Completed", container(done).getState().getTerminated().getReason());
    await().atMost(PATIENCE).until(() -> portLayer.calls(Operation.POWER_OFF) > 0);
  }

  @Test
  @DisplayName("refuses what is not supported by naming every field")
  void refuses() {
    Pod created =
        create(
            "probed",
            pod ->
                pod.editSpec()
                    .editFirstContainer()
                    .withNewLivenessProbe()
                    .withNewTcpSocket()
                    .withNewPort(80)
                    .endTcpSocket()
                    .endLivenessProbe()
                    .endContainer()
                    .addNewVolume()
                    .withName("host")
                    .withNewHostPath()
                    .withPath("/")
                    .endHostPath()
                    .endVolume()
                    .endSpec());
    Pod failed = awaitPhase("probed", "Failed");
    assertEquals("UnsupportedPodSpec", failed.getStatus().getReason());
    assertEquals(
        "Pod was rejected: Berth does not support spec.containers[0].livenessProbe, spec.volumes[0].hostPath",
        failed.getStatus().getMessage());
    awaitEvent(created, "UnsupportedPodSpec", "spec.volumes[0].hostPath");
  }

  @Test
  @DisplayName("rejects a pod for which there is no memory, as a kubelet does")
  void outOfMemory() {
    create(
        "huge",
        pod ->
            pod.editSpec()
                .editFirstContainer()
                .withNewResources()
                .addToRequests("memory", new Quantity("900Ti"))
                .endResources()
                .endContainer()
                .endSpec());
    assertEquals("OutOfmemory", awaitPhase("huge", "Failed").getStatus().getReason());
  }

  @Test
  @DisplayName("says that an image cannot be pulled, and pulls it when it is there")
  void imagePull() {
    create(
        "late",
        pod -> pod.editSpec().editFirstContainer().withImage("late:1").endContainer().endSpec());
    awaitPod("late", pod -> waits(pod, "ErrImagePull"));
    awaitPod("late", pod -> waits(pod, "ImagePullBackOff"));
    portLayer.addImage("late:1", SERVER);
    awaitPhase("late", "Running");
  }

  private static boolean waits(Pod pod, String reason) {
    return !pod.getStatus().getContainerStatuses().isEmpty()
        && container(pod).getState().getWaiting() != null
        && reason.equals(container(pod).getState().getWaiting().getReason());
  }

  @Test
  @DisplayName("waits for a ConfigMap with CreateContainerConfigError, and starts when it comes")
  void missingConfigMap() {
    create(
        "configured",
        pod ->
            pod.editSpec()
                .editFirstContainer()
                .addNewEnv()
                .withName("COLOUR")
                .withNewValueFrom()
                .withNewConfigMapKeyRef("colour", "late-config", false)
                .endValueFrom()
                .endEnv()
                .endContainer()
                .endSpec());
    Pod waiting = awaitPod("configured", pod -> waits(pod, "CreateContainerConfigError"));
    assertEquals(
        "configmap \"late-config\" not found",
        container(waiting).getState().getWaiting().getMessage());
    var map =
        new io.fabric8.kubernetes.api.model.ConfigMapBuilder()
            .withNewMetadata()
            .withName("late-config")
            .withNamespace(NAMESPACE)
            .endMetadata()
            .addToData("colour", "blue")
            .build();
    admin().resource(map).create();
    awaitPhase("configured", "Running");
    admin().resource(map).delete();
  }

  @Test
  @DisplayName("keeps containers running over its own restart, and learns what happened meanwhile")
  void restartOfProvider() throws Exception {
    Pod stays = create("stays", pod -> pod);
    Pod ends = create("ends", pod -> pod.editSpec().withRestartPolicy("Never").endSpec());
    Pod goes = create("goes", pod -> pod);
    for (String name : List.of("stays", "ends", "goes")) {
      awaitPhase(name, "Running");
    }
    PodDirectory directory = Objects.requireNonNull(provider).directory();
    assertEquals(Optional.empty(), directory.trouble());
    Objects.requireNonNull(provider).close();
    assertEquals(Optional.of("the pods of the API server are not watched"), directory.trouble());
    portLayer.endProcess(vm(ends), 7);
    admin()
        .resource(goes)
        .withGracePeriod(0)
        .withPropagationPolicy(DeletionPropagation.BACKGROUND)
        .delete();
    int starts = portLayer.calls(Operation.START_PROCESS);
    provider = newProvider();
    provider.start();
    Pod ended = awaitPhase("ends", "Failed");
    assertEquals(7, container(ended).getState().getTerminated().getExitCode());
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                portLayer.compute().list().stream()
                    .noneMatch(
                        group -> group.spec().id().equals("pod." + goes.getMetadata().getUid())));
    assertEquals(starts, portLayer.calls(Operation.START_PROCESS));
    assertEquals(0, container(awaitPhase("stays", "Running")).getRestartCount());
    assertTrue(portLayer.compute().find("pod." + stays.getMetadata().getUid()).isPresent());
  }
}
