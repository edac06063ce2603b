package dev.berth.e2e.bench;

import dev.berth.e2e.Command;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The bench's own installation, made as {@code ./quickstart} makes one. */
final class Vch implements AutoCloseable {
  static final String NAME = "berth-bench";
  static final String REGISTRY = "quickstart.berth.dev";
  static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String NAMESPACE = "default";

  private final Path root;
  private final Path directory;
  private final KubernetesClient client;

  /**
   * @param boot what its containerVMs boot
   */
  Vch(Path root, Path boot) {
    this.root = root;
    this.directory = root.resolve(".berth/bench/vch");
    stop();
    quickstart("--boot", boot.toString());
    this.client = Clients.of(directory.resolve("kubeconfig"));
  }

  private void quickstart(String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                root.resolve(".berth/bin/berth").toString(),
                "quickstart",
                "--checkout",
                root.toString(),
                "--directory",
                directory.toString(),
                "--name",
                NAME));
    line.addAll(List.of(more));
    Command.of(line).deadline(Duration.ofMinutes(4)).run().expect(0);
  }

  private void stop() {
    quickstart("--stop");
  }

  KubernetesClient client() {
    return client;
  }

  /** Where the registry is reached from this machine. */
  String registry() {
    return Machine.read(directory.resolve("addresses")).strip() + ".255.2:5000";
  }

  Command kubectl(String... arguments) {
    List<String> line = new ArrayList<>(List.of(root.resolve(".berth/bin/kubectl").toString()));
    line.addAll(List.of(arguments));
    return Command.of(line)
        .environment(Map.of("KUBECONFIG", directory.resolve("kubeconfig").toString()))
        .deadline(PATIENCE);
  }

  Pod create(String name, String script) {
    return client.resource(pod(name, script)).create();
  }

  void delete(String name) {
    var _ =
        client
            .pods()
            .inNamespace(NAMESPACE)
            .withName(name)
            .withTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
            .delete();
  }

  void awaitPhase(String name, String phase) {
    var _ =
        client
            .pods()
            .inNamespace(NAMESPACE)
            .withName(name)
            .waitUntilCondition(
                pod -> pod != null && phase.equals(pod.getStatus().getPhase()),
                PATIENCE.toSeconds(),
                TimeUnit.SECONDS);
  }

  /** Where the pod's only containerVM has its files; it need not be there yet. */
  Path containerVm(Pod pod) {
    String uid = pod.getMetadata().getUid();
    return directory.resolve("vch/vms").resolve("pod." + uid).resolve(uid + ".main");
  }

  long qemu(Pod pod) {
    return Long.parseLong(Machine.read(containerVm(pod).resolve("qemu.pid")).strip());
  }

  private static Pod pod(String name, String script) {
    return new PodBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(NAMESPACE)
        .endMetadata()
        .withNewSpec()
        .withRestartPolicy("Never")
        .withTerminationGracePeriodSeconds(1L)
        .addNewToleration()
        .withKey("virtual-kubelet.io/provider")
        .withOperator("Exists")
        .endToleration()
        .addNewContainer()
        .withName("main")
        .withImage(REGISTRY + "/busybox")
        .withImagePullPolicy("IfNotPresent")
        .withCommand("/bin/sh", "-c", script)
        .withNewResources()
        .addToLimits("memory", new Quantity("64Mi"))
        .endResources()
        .endContainer()
        .endSpec()
        .build();
  }

  /** Empties and makes a folder beside the installation. */
  Path folder(String name) {
    Path folder = directory.resolveSibling(name);
    Command.of("rm", "-rf", folder.toString()).run().expect(0);
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    client.close();
    stop();
  }
}
