package dev.berth.cli;

import dev.berth.cli.settings.KubeletSettings;
import dev.berth.portlayer.Parts;
import dev.berth.portlayer.PortLayer;
import dev.berth.provider.Provider;
import dev.berth.provider.api.KubeletApiServer;
import dev.berth.provider.api.auth.ClusterAuthenticator;
import dev.berth.provider.api.auth.ClusterAuthorizer;
import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.NodeClients;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A node at work: a port layer, the provider on top of it, and the kubelet's API. */
final class Node implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  private final Parts parts = new Parts();

  private Node() {}

  /** Starts everything; what was started is closed again when a part fails. */
  static Node start(KubeletSettings settings) {
    Node node = new Node();
    try {
      node.begin(new NodeConfiguration(settings), settings);
      return node;
    } catch (KubernetesClientException e) {
      node.close();
      throw CommandFailure.of("the API server %s".formatted(answer(e)));
    } catch (ApiException e) {
      node.close();
      throw CommandFailure.of("the API server: %s".formatted(e.getMessage()));
    } catch (IllegalArgumentException | IllegalStateException e) {
      node.close();
      throw CommandFailure.of(String.valueOf(e.getMessage()));
    } catch (RuntimeException | Error e) {
      node.close();
      throw e;
    }
  }

  /** What the API server said, or why it said nothing. */
  private static String answer(KubernetesClientException failure) {
    if (failure.getCode() > 0) {
      return "refused: " + failure.getMessage();
    }
    return "cannot be reached: " + rootCause(failure);
  }

  private static String rootCause(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }

  private void begin(NodeConfiguration configuration, KubeletSettings settings) {
    KubernetesClient client = parts.add(client(settings));
    PortLayer portLayer = parts.add(configuration.openPortLayer());
    PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    parts.add(meters::close);
    Provider provider =
        parts.add(new Provider(configuration.provider(), client, portLayer, meters));
    // Before the API listens, so that whoever finds it there finds every pod in it.
    provider.start();
    KubeletApiServer server =
        parts.add(
            KubeletApiServer.start(
                configuration.api(),
                provider.directory(),
                portLayer.interaction(),
                new ClusterAuthenticator(client, settings.serving().clientAuthority()),
                new ClusterAuthorizer(client, settings.nodeName()),
                meters));
    LOG.info("Node {} is at work; its API listens on {}", settings.nodeName(), server.address());
  }

  private static KubernetesClient client(KubeletSettings settings) {
    try {
      return NodeClients.of(configuration(settings));
    } catch (RuntimeException e) {
      // Reading certificates and keys is all that happens here; a connection comes later.
      String file = settings.kubeconfig().map(Path::toString).orElse("the service account");
      throw CommandFailure.usage(
          "kubeconfig: %s: its certificates or keys cannot be used: %s"
              .formatted(file, rootCause(e)));
    }
  }

  private static Config configuration(KubeletSettings settings) {
    return settings
        .kubeconfig()
        .map(file -> Config.fromKubeconfig(file.toFile()))
        .orElseGet(() -> Config.autoConfigure(null));
  }

  /** Waits until the process is told to end, and closes everything before it does. */
  void runUntilTerminated() throws InterruptedException {
    CountDownLatch closed = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  LOG.info("Stopping; containerVMs go on");
                  close();
                  closed.countDown();
                },
                "stop"));
    closed.await();
  }

  /** Closes the parts, last one first. Idempotent. */
  @Override
  public void close() {
    parts.close();
  }
}
