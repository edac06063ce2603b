package dev.berth.e2e.bench;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.nio.file.Path;

/** Clients that are limited by nothing but the API server. */
final class Clients {
  private static final int REQUESTS = 1000;

  private Clients() {}

  static KubernetesClient of(Path kubeconfig) {
    return new KubernetesClientBuilder()
        .withConfig(
            new ConfigBuilder(Config.fromKubeconfig(kubeconfig.toFile()))
                .withRequestTimeout(120_000)
                .withMaxConcurrentRequests(REQUESTS)
                .withMaxConcurrentRequestsPerHost(REQUESTS)
                .build())
        .build();
  }
}
