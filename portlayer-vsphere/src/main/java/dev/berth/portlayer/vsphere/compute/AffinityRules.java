package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.vsphere.vim.Clusters.ClusterAffinityRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleInfo;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The rules that keep the VMs of a group on one host. A host that is in no cluster needs none. */
final class AffinityRules {
  private final ClusterConfiguration cluster;

  AffinityRules(ClusterConfiguration cluster) {
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
    if (cluster.exists()) {
      cluster.change(
          now ->
              new ClusterConfigSpecEx(
                  change.of(
                      ClusterConfiguration.named(
                          now.rule(),
                          ClusterAffinityRuleSpec.class,
                          ClusterAffinityRuleSpec::name,
                          name)),
                  List.of()));
    }
  }
}
