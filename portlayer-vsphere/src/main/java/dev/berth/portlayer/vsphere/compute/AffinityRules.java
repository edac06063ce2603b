package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterAffinityRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleInfo;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The rules that keep the VMs of a group on one host. A host that is in no cluster needs none. */
final class AffinityRules {
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private final VimClient client;
  private final PropertyStream stream;
  private final ManagedObjectReference cluster;
  private final ReentrantLock lock = new ReentrantLock();

  AffinityRules(VimClient client, PropertyStream stream, ManagedObjectReference cluster) {
    this.client = client;
    this.stream = stream;
    this.cluster = cluster;
  }

  /** Keeps VMs together, by a rule in place of one that has its name. */
  void put(String name, List<ManagedObjectReference> vms) {
    changeRule(
        present ->
            List.of(
                present.isPresent()
                    ? ClusterRuleSpec.edit(rule(present.get().key(), name, vms))
                    : ClusterRuleSpec.add(rule(null, name, vms))),
        name);
  }

  private static ClusterAffinityRuleSpec rule(
      @Nullable Integer key, String name, List<ManagedObjectReference> vms) {
    return new ClusterAffinityRuleSpec(key, name, true, null, vms);
  }

  /** Idempotent. */
  void remove(String name) {
    changeRule(
        present ->
            present
                .map(ClusterRuleInfo::key)
                .filter(Objects::nonNull)
                .map(ClusterRuleSpec::remove)
                .stream()
                .toList(),
        name);
  }

  private interface Change {
    List<ClusterRuleSpec> of(Optional<ClusterAffinityRuleSpec> present);
  }

  private void changeRule(Change change, String name) {
    if (!cluster.type().equals("ClusterComputeResource")) {
      return;
    }
    lock.lock();
    try {
      List<ClusterRuleSpec> changes = change.of(find(name));
      if (!changes.isEmpty()) {
        stream.run(
            cluster,
            new Methods.ReconfigureComputeResource(
                new ClusterConfigSpecEx(changes, List.of()), true),
            DEADLINE);
      }
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    } finally {
      lock.unlock();
    }
  }

  private Optional<ClusterAffinityRuleSpec> find(String name) {
    return client
        .property(cluster, "configurationEx", ClusterConfigInfoEx.class)
        .map(ClusterConfigInfoEx::rule)
        .orElse(List.of())
        .stream()
        .filter(ClusterAffinityRuleSpec.class::isInstance)
        .map(ClusterAffinityRuleSpec.class::cast)
        .filter(rule -> rule.name().equals(name))
        .findFirst();
  }
}
