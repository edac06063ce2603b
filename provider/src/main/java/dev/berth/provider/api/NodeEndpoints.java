package dev.berth.provider.api;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodListBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the kubelet tells of the node as a whole. */
final class NodeEndpoints {
  private static final String JSON = "application/json";
  private static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";
  private static final String TEXT = "text/plain; charset=utf-8";

  private final PodDirectory directory;
  private final ResourceStatistics statistics;
  private final PrometheusMeterRegistry meters;
  private final KubeletApiConfiguration configuration;
  private final KubernetesSerialization serialization = new KubernetesSerialization();

  NodeEndpoints(
      PodDirectory directory,
      ResourceStatistics statistics,
      PrometheusMeterRegistry meters,
      KubeletApiConfiguration configuration) {
    this.directory = directory;
    this.statistics = statistics;
    this.meters = meters;
    this.configuration = configuration;
  }

  void pods(Exchange exchange) throws IOException {
    respond(exchange, directory.pods());
  }

  void runningPods(Exchange exchange) throws IOException {
    respond(
        exchange,
        directory.pods().stream()
            .filter(pod -> pod.getStatus() != null)
            .filter(pod -> "Running".equals(pod.getStatus().getPhase()))
            .toList());
  }

  private void respond(Exchange exchange, List<Pod> pods) throws IOException {
    var list = new PodListBuilder().withNewMetadata().endMetadata().withItems(pods).build();
    exchange.respond(200, JSON, serialization.asJson(list));
  }

  /** That there is an answer is the whole of the check. */
  void ping(Exchange exchange) throws IOException {
    exchange.respond(200, TEXT, "ok");
  }

  /** 500 when the loops that look after the pods are stuck, as the kubelet's sync loop may be. */
  void health(Exchange exchange) throws IOException {
    Optional<String> trouble = directory.trouble();
    if (trouble.isEmpty()) {
      ping(exchange);
    } else {
      exchange.respond(
          500,
          TEXT,
          "[+]ping ok\n[-]syncloop failed: %s\nhealthz check failed\n".formatted(trouble.get()));
    }
  }

  void metrics(Exchange exchange) throws IOException {
    exchange.respond(200, PROMETHEUS, meters.scrape());
  }

  void resourceMetrics(Exchange exchange) throws IOException {
    exchange.respond(200, PROMETHEUS, statistics.prometheus());
  }

  void statsSummary(Exchange exchange) throws IOException {
    exchange.respond(200, JSON, serialization.asJson(statistics.summary()));
  }

  /** The little of a KubeletConfiguration that holds here. */
  void configuration(Exchange exchange) throws IOException {
    Map<String, Object> values =
        Map.of(
            "kind",
            "KubeletConfiguration",
            "apiVersion",
            "kubelet.config.k8s.io/v1beta1",
            "address",
            configuration.address().getAddress().getHostAddress(),
            "port",
            configuration.address().getPort(),
            "streamingConnectionIdleTimeout",
            configuration.streamIdleTimeout().toSeconds() + "s",
            "authentication",
            Map.of("anonymous", Map.of("enabled", false), "webhook", Map.of("enabled", true)),
            "authorization",
            Map.of("mode", "Webhook"));
    exchange.respond(200, JSON, serialization.asJson(Map.of("kubeletconfig", values)));
  }
}
