package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.lifecycle.Names;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what pods left behind that are no more: groups that carry this node's labels, and disks
 * and endpoints that carry a pod's name. Everything else in the VCH is somebody else's.
 */
public final class OrphanSweeper {
  private static final Logger LOG = LoggerFactory.getLogger(OrphanSweeper.class);
  private static final Duration GRACE = Duration.ofSeconds(2);

  private final PortLayer portLayer;
  private final PodController pods;
  private final ProviderConfiguration configuration;

  public OrphanSweeper(
      PortLayer portLayer, PodController pods, ProviderConfiguration configuration) {
    this.portLayer = portLayer;
    this.pods = pods;
    this.configuration = configuration;
  }

  /** To be called only when every pod of the node is known. Idempotent. */
  public void sweep() {
    portLayer.compute().list().stream()
        .filter(this::ours)
        .map(group -> group.spec().id())
        .filter(this::orphan)
        .forEach(
            id -> {
              LOG.info("Removing group {}, whose pod is gone", id);
              portLayer.compute().powerOff(id, GRACE);
              portLayer.compute().destroy(id);
            });
    for (DiskAttachment disk : portLayer.storage().listDisks()) {
      remove(disk.id(), portLayer.storage()::deleteDisk);
    }
    for (NicAttachment endpoint : portLayer.network().listEndpoints()) {
      remove(endpoint.id(), portLayer.network()::deleteEndpoint);
    }
  }

  private boolean ours(Group group) {
    Map<String, String> labels = group.spec().labels();
    return Names.KUBERNETES.equals(labels.get(Names.PERSONALITY))
        && configuration.node().name().equals(labels.get(Names.NODE));
  }

  private boolean orphan(String id) {
    Optional<String> uid = Names.podUid(id);
    return uid.isPresent() && !pods.knows(uid.get());
  }

  private void remove(String id, Consumer<String> delete) {
    if (!orphan(id)) {
      return;
    }
    try {
      LOG.info("Removing {}, whose pod is gone", id);
      delete.accept(id);
    } catch (PortLayerException failure) {
      LOG.warn("Removing {}: {}", id, failure.getMessage());
    }
  }

  /** Removes images that nothing uses, when the datastore is nearly full. */
  public void collectImages() {
    Set<String> used =
        portLayer.compute().list().stream()
            .flatMap(group -> group.spec().members().stream())
            .map(ContainerVmSpec::imageId)
            .collect(Collectors.toSet());
    portLayer
        .storage()
        .collectGarbage(configuration.images(), used)
        .forEach(image -> LOG.info("Removed unused image {}", image));
  }
}
