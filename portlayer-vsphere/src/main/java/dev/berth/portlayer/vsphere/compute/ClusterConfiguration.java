package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * The rules and groups of the cluster that a pool is in. Reading and changing fail with {@link
 * dev.berth.portlayer.PortLayerException}. Safe for use by many threads.
 */
public final class ClusterConfiguration {
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private final VimClient client;
  private final PropertyStream stream;
  private final ManagedObjectReference owner;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * @param owner of the pool: a cluster, or a host alone
   */
  public ClusterConfiguration(
      VimClient client, PropertyStream stream, ManagedObjectReference owner) {
    this.client = client;
    this.stream = stream;
    this.owner = owner;
  }

  /** Whether there is a cluster at all: a host alone has neither rules nor groups. */
  boolean exists() {
    return owner.type().equals("ClusterComputeResource");
  }

  ClusterConfigInfoEx read() {
    try {
      return client
          .property(owner, "configurationEx", ClusterConfigInfoEx.class)
          .orElse(new ClusterConfigInfoEx(List.of(), List.of()));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** Changes what is there, one after another; a change of nothing is not made. */
  public void change(Function<ClusterConfigInfoEx, ClusterConfigSpecEx> change) {
    lock.lock();
    try {
      ClusterConfigSpecEx spec = change.apply(read());
      if (!spec.rulesSpec().isEmpty() || !spec.groupSpec().isEmpty()) {
        stream.run(owner, new Methods.ReconfigureComputeResource(spec, true), DEADLINE);
      }
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    } finally {
      lock.unlock();
    }
  }

  /** The rule or group of a kind that has a name. */
  static <T> Optional<T> named(
      List<?> all, Class<T> kind, Function<? super T, String> nameOf, String name) {
    return all.stream()
        .filter(kind::isInstance)
        .map(kind::cast)
        .filter(each -> nameOf.apply(each).equals(name))
        .findFirst();
  }
}
