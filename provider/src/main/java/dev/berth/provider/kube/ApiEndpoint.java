package dev.berth.provider.kube;

import dev.berth.provider.api.auth.ReloadingFiles;
import dev.berth.provider.kube.http.Endpoint;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.StandardHttpClientBuilder;
import io.fabric8.kubernetes.client.internal.SSLUtils;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** The API server as a client's configuration describes it. */
final class ApiEndpoint {
  private ApiEndpoint() {}

  /**
   * The API server. Certificates and keys in files are read again when they change.
   *
   * @throws IllegalArgumentException when they cannot be used
   * @throws IllegalStateException when the configuration asks for what is not supported
   */
  static Endpoint of(KubernetesClient client) {
    Config config = client.getConfiguration();
    if (client.getHttpClient().newBuilder() instanceof StandardHttpClientBuilder<?, ?, ?> built
        && built.getProxyAddress() != null) {
      throw new IllegalStateException(
          "Berth does not talk to the API server through a proxy: name %s in NO_PROXY"
              .formatted(client.getMasterUrl().getHost()));
    }
    if (given(config.getUsername()) || given(config.getImpersonateUsername())) {
      throw new IllegalStateException(
          "a node needs a certificate or a token of its own; the kubeconfig has a user name or impersonates");
    }
    return Endpoint.of(
        URI.create(client.getMasterUrl().toString()),
        host ->
            new Endpoint.Tls(
                contexts(config),
                Objects.requireNonNullElse(config.getTlsServerName(), host),
                !config.isTrustCerts() && !config.isDisableHostnameVerification()));
  }

  private static boolean given(@Nullable String setting) {
    return setting != null && !setting.isEmpty();
  }

  private static Supplier<SSLContext> contexts(Config config) {
    List<Path> files =
        Stream.of(config.getCaCertFile(), config.getClientCertFile(), config.getClientKeyFile())
            .filter(Objects::nonNull)
            .map(Path::of)
            .toList();
    return new ReloadingFiles<>(files, () -> context(config))::get;
  }

  private static SSLContext context(Config config) throws IOException, GeneralSecurityException {
    try {
      return SSLUtils.sslContext(config);
    } catch (KubernetesClientException unusable) {
      throw new GeneralSecurityException(unusable);
    }
  }
}
