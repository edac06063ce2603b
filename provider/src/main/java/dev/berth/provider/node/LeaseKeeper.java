package dev.berth.provider.node;

import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.RawApi;
import io.fabric8.kubernetes.api.model.Node;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Renews the node's lease, by which the cluster knows that the node is alive. */
public final class LeaseKeeper implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LeaseKeeper.class);
  private static final int DURATION_SECONDS = 40;
  private static final String LEASES =
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

  private final RawApi api;
  private final ProviderConfiguration configuration;
  private @Nullable Thread thread;

  public LeaseKeeper(RawApi api, ProviderConfiguration configuration) {
    this.api = api;
    this.configuration = configuration;
  }

  /** Renews it at once, then with every heartbeat. */
  public void start(Node owner) {
    thread = Thread.ofVirtual().name("node-lease").start(() -> run(owner));
  }

  private void run(Node owner) {
    try {
      while (true) {
        try {
          renew(owner);
        } catch (ApiException failure) {
          LOG.warn("Lease: {}", failure.getMessage());
        }
        Thread.sleep(configuration.timing().heartbeat());
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  private void renew(Node owner) {
    String name = configuration.node().name();
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("holderIdentity", name);
    spec.put("leaseDurationSeconds", DURATION_SECONDS);
    spec.put("renewTime", time());
    try {
      api.send("PATCH", LEASES + "/" + name, "application/merge-patch+json", Map.of("spec", spec));
    } catch (ApiException refused) {
      if (refused.status() != 404) {
        throw refused;
      }
      api.send("POST", LEASES, "application/json", lease(owner, spec));
    }
  }

  private Map<String, Object> lease(Node owner, Map<String, Object> spec) {
    return Map.of(
        "apiVersion",
        "coordination.k8s.io/v1",
        "kind",
        "Lease",
        "metadata",
        Map.of(
            "name",
            configuration.node().name(),
            "ownerReferences",
            List.of(
                Map.of(
                    "apiVersion",
                    "v1",
                    "kind",
                    "Node",
                    "name",
                    owner.getMetadata().getName(),
                    "uid",
                    owner.getMetadata().getUid()))),
        "spec",
        spec);
  }

  /** RFC 3339 with exactly six digits, which is all that a MicroTime accepts. */
  private static String time() {
    Instant now = Instant.now().truncatedTo(ChronoUnit.MICROS);
    return java.time.format.DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
        .withZone(java.time.ZoneOffset.UTC)
        .format(now);
  }

  /** The lease runs out by itself. Idempotent. */
  @Override
  public void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
