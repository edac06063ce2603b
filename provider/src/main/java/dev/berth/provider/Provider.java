package dev.berth.provider;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.provider.api.PodDirectory;
import dev.berth.provider.events.EventRecorder;
import dev.berth.provider.kube.ObjectReader;
import dev.berth.provider.kube.RawApi;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.node.LeaseKeeper;
import dev.berth.provider.node.NodeController;
import dev.berth.provider.pod.NodePods;
import dev.berth.provider.pod.OrphanSweeper;
import dev.berth.provider.pod.PodController;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Kubernetes node whose pods are groups of containerVMs.
 *
 * <p>It does nothing that a kubelet may not do, and keeps nothing: a provider that is started again
 * finds everything at the API server and at the port layer, and restarts no container.
 */
public final class Provider implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Provider.class);

  private final ProviderConfiguration configuration;
  private final RawApi api;
  private final EventRecorder events;
  private final NodeController node;
  private final LeaseKeeper lease;
  private final SharedIndexInformer<Service> services;
  private final ObjectReader objects;
  private final PodController pods;
  private final PodDirectory directory;
  private final OrphanSweeper sweeper;
  private @Nullable Thread housekeeping;

  /**
   * @param client as {@code system:node:NAME} in the group {@code system:nodes}; its owner closes
   *     it
   * @param portLayer its owner closes it
   */
  public Provider(
      ProviderConfiguration configuration,
      KubernetesClient client,
      PortLayer portLayer,
      MeterRegistry metrics) {
    this.configuration = configuration;
    this.api = new RawApi(client);
    this.events = new EventRecorder(api, configuration.node().name(), metrics);
    this.node = new NodeController(client, api, portLayer, configuration);
    this.lease = new LeaseKeeper(api, configuration);
    this.services = client.services().inAnyNamespace().runnableInformer(0);
    this.objects = new ObjectReader(client, api, services.getIndexer());
    this.pods =
        new PodController(
            client,
            portLayer,
            configuration,
            events,
            objects,
            api,
            metrics,
            node::allocatable,
            node::nudge);
    this.directory = new NodePods(pods, portLayer);
    this.sweeper = new OrphanSweeper(portLayer, pods, configuration);
  }

  /**
   * Registers the node and takes charge of its pods; returns when each has been seen.
   *
   * @throws RuntimeException when the API server cannot be reached or refuses; then {@link #close}
   *     it
   */
  public void start() {
    lease.start(node.start());
    events.tellNode(PodEvent.normal("Starting", "Starting kubelet."));
    services.run();
    pods.start();
    housekeeping = Thread.ofVirtual().name("housekeeping").start(this::keepHouse);
  }

  /** The node's pods, for the kubelet's API. */
  public PodDirectory directory() {
    return directory;
  }

  private void keepHouse() {
    try {
      while (true) {
        try {
          sweeper.sweep();
          sweeper.collectImages();
        } catch (PortLayerException failure) {
          LOG.warn("Cleaning up: {}", failure.getMessage());
        }
        objects.forgetUnused();
        Thread.sleep(configuration.timing().orphanCheck());
      }
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets go of the node: every pod goes on running. Idempotent. */
  @Override
  public void close() {
    if (housekeeping != null) {
      housekeeping.interrupt();
    }
    pods.close();
    services.close();
    lease.close();
    node.close();
    events.close();
    api.close();
  }
}
