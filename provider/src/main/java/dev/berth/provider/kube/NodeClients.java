package dev.berth.provider.kube;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

/** Clients for informers and for what is read now and then; {@link RawApi} is for the rest. */
public final class NodeClients {
  /** The API server says itself when it is too many. */
  private static final int REQUESTS = 100;

  private NodeClients() {}

  /**
   * A client with these credentials; it connects with its first request.
   *
   * @throws RuntimeException when a certificate or key cannot be used
   */
  public static KubernetesClient of(Config config) {
    ConfigBuilder builder =
        new ConfigBuilder(config)
            .withMaxConcurrentRequests(REQUESTS)
            .withMaxConcurrentRequestsPerHost(REQUESTS);
    if (!usesToken(config)) {
      // Otherwise the kubeconfig is read for a token with every request, one minute after the
      // start, for as long as none is found there.
      builder.withOauthTokenProvider(() -> null);
    }
    return new KubernetesClientBuilder().withConfig(builder.build()).build();
  }

  private static boolean usesToken(Config config) {
    return config.getOauthTokenProvider() != null
        || config.getOauthToken() != null
        || config.getAutoOAuthToken() != null
        || config.getAuthProvider() != null;
  }
}
