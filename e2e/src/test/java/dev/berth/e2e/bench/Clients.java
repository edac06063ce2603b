package dev.berth.e2e.bench;

import dev.berth.provider.kube.NodeClients;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;

/** Clients with the patience that a busy machine asks for. */
final class Clients {
  private Clients() {}

  static KubernetesClient of(Path kubeconfig) {
    return NodeClients.of(
        new ConfigBuilder(Config.fromKubeconfig(kubeconfig.toFile()))
            .withRequestTimeout(120_000)
            .build());
  }
}
