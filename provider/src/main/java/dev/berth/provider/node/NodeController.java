package dev.berth.provider.node;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.RawApi;
import dev.berth.provider.translate.Quantities;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the node object. Its status is looked at with every heartbeat and written when it changed,
 * and every five minutes in any case, as the kubelet does; the lease says in between that the node
 * is alive.
 */
public final class NodeController implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeController.class);
  private static final Duration REPORT = Duration.ofMinutes(5);
  private static final String TAINT = "virtual-kubelet.io/provider";

  private final KubernetesClient client;
  private final RawApi api;
  private final ProviderConfiguration configuration;
  private final NodeStatusFactory factory;
  private final NodeConditions conditions = new NodeConditions();
  private final Semaphore nudges = new Semaphore(0);

  /** Nothing, until the port layer was reached. */
  private volatile Map<String, Quantity> allocatable = Quantities.of(0, 0, 0, 0);

  private NodeStatusFactory.@Nullable View view;
  private Map<String, Object> reported = Map.of();
  private Instant reportedAt = Instant.EPOCH;
  private @Nullable Thread thread;

  public NodeController(
      KubernetesClient client,
      RawApi api,
      PortLayer portLayer,
      ProviderConfiguration configuration) {
    this.client = client;
    this.api = api;
    this.configuration = configuration;
    this.factory = new NodeStatusFactory(portLayer, configuration);
  }

  /**
   * Registers the node, or takes over the one that is there, and reports its status.
   *
   * @throws ApiException when the API server refuses
   */
  public Node start() {
    look();
    Node node = register();
    report();
    thread = Thread.ofVirtual().name("node-status").start(this::run);
    return node;
  }

  /** What the node offers to pods, as it was seen last. */
  public Map<String, Quantity> allocatable() {
    return allocatable;
  }

  /** Looks at the port layer soon instead of with the next heartbeat. */
  public void nudge() {
    nudges.release();
  }

  private Node register() {
    Node present = client.nodes().withName(name()).get();
    if (present == null) {
      return client.nodes().resource(fresh()).create();
    }
    if (present.getStatus() != null) {
      conditions.remember(present.getStatus().getConditions());
    }
    api.send(
        "PATCH",
        "/api/v1/nodes/" + name(),
        RawApi.STRATEGIC_MERGE,
        Map.of("metadata", Map.of("labels", labels())));
    return present;
  }

  /** The taint is set now only: NodeRestriction forbids a node to change its taints. */
  private Node fresh() {
    return new NodeBuilder()
        .withNewMetadata()
        .withName(name())
        .withLabels(labels())
        .endMetadata()
        .withNewSpec()
        .addNewTaint()
        .withKey(TAINT)
        .withValue("berth")
        .withEffect("NoSchedule")
        .endTaint()
        .endSpec()
        .build();
  }

  private Map<String, String> labels() {
    Map<String, String> labels = new LinkedHashMap<>();
    String architecture = view == null ? "amd64" : view.information().getArchitecture();
    labels.put("kubernetes.io/os", "linux");
    labels.put("kubernetes.io/arch", architecture);
    labels.put("kubernetes.io/hostname", name());
    labels.put("beta.kubernetes.io/os", "linux");
    labels.put("beta.kubernetes.io/arch", architecture);
    labels.put("node.kubernetes.io/instance-type", "berth");
    labels.put("type", "virtual-kubelet");
    labels.putAll(configuration.node().labels());
    return labels;
  }

  private String name() {
    return configuration.node().name();
  }

  private Optional<String> look() {
    try {
      NodeStatusFactory.View seen = factory.look();
      view = seen;
      allocatable = seen.allocatable();
      return Optional.empty();
    } catch (PortLayerException failure) {
      LOG.warn("The port layer is unreachable: {}", failure.getMessage());
      return Optional.of(String.valueOf(failure.getMessage()));
    }
  }

  private void run() {
    long heartbeat = configuration.timing().heartbeat().toNanos();
    try {
      while (true) {
        if (nudges.tryAcquire(heartbeat, TimeUnit.NANOSECONDS)) {
          nudges.drainPermits();
        }
        try {
          report();
        } catch (ApiException | KubernetesClientException failure) {
          LOG.warn("Node status: {}", failure.getMessage());
        }
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  private void report() {
    Optional<String> trouble = look();
    NodeStatusFactory.View seen = view;
    Instant now = Instant.now();
    Map<String, Object> status = new LinkedHashMap<>();
    if (seen != null) {
      status.put("capacity", seen.capacity());
      status.put("allocatable", seen.allocatable());
      status.put("nodeInfo", seen.information());
      status.put("images", seen.images());
    }
    status.put("addresses", factory.addresses());
    status.put(
        "daemonEndpoints",
        Map.of("kubeletEndpoint", Map.of("Port", configuration.node().kubeletPort())));
    List<NodeCondition> shown =
        conditions.at(
            now, trouble, seen != null && seen.diskLow(), seen != null && seen.addressesGone());
    Map<String, Object> comparable = new LinkedHashMap<>(status);
    comparable.put("conditions", shown.stream().map(NodeController::withoutHeartbeat).toList());
    if (comparable.equals(reported) && now.isBefore(reportedAt.plus(REPORT))) {
      return;
    }
    status.put("conditions", shown);
    write(status);
    reported = comparable;
    reportedAt = now;
  }

  private static List<Object> withoutHeartbeat(NodeCondition condition) {
    return List.of(
        condition.getType(), condition.getStatus(), condition.getReason(), condition.getMessage());
  }

  /** A node object that somebody removed is made again, as a kubelet does. */
  private void write(Map<String, Object> status) {
    String path = "/api/v1/nodes/" + name() + "/status";
    try {
      api.send("PATCH", path, RawApi.STRATEGIC_MERGE, Map.of("status", status));
    } catch (ApiException refused) {
      if (refused.status() != 404) {
        throw refused;
      }
      register();
      api.send("PATCH", path, RawApi.STRATEGIC_MERGE, Map.of("status", status));
    }
  }

  /** The node object stays, and is called NotReady when its lease has run out. Idempotent. */
  @Override
  public void close() {
    if (thread != null) {
      thread.interrupt();
    }
  }
}
