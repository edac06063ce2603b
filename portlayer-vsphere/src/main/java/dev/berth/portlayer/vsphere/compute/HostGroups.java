package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterHostGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmHostRuleInfo;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * VMs bound to a group of hosts, which an administrator made. The VCH has one group of VMs, and one
 * mandatory rule, for each such group that it uses; both go with their last VM.
 */
final class HostGroups {
  private final ClusterConfiguration cluster;
  private final String vch;

  /**
   * @param vch the VCH's name
   */
  HostGroups(ClusterConfiguration cluster, String vch) {
    this.cluster = cluster;
    this.vch = vch;
  }

  /** The groups of hosts that there are: none for a host that is in no cluster. */
  Set<String> names() {
    return cluster.exists()
        ? cluster.read().group().stream()
            .filter(ClusterHostGroup.class::isInstance)
            .map(group -> ((ClusterHostGroup) group).name())
            .collect(Collectors.toSet())
        : Set.of();
  }

  /**
   * Says that there is a group of hosts.
   *
   * @throws PortLayerException NOT_FOUND, UNSUPPORTED (the pool is in no cluster)
   */
  void require(String hostGroup) {
    if (!cluster.exists()) {
      throw new PortLayerException(
          Code.UNSUPPORTED, "the VCH's pool is in no cluster, so there are no groups of hosts");
    }
    if (!names().contains(hostGroup)) {
      throw new PortLayerException(
          Code.NOT_FOUND, "the cluster has no group of hosts called " + hostGroup);
    }
  }

  /** Binds VMs to a group of hosts. Idempotent. */
  void add(String hostGroup, List<ManagedObjectReference> vms) {
    change(
        hostGroup,
        (name, present, rule) -> {
          Set<ManagedObjectReference> all = new LinkedHashSet<>(vms);
          present.ifPresent(group -> all.addAll(group.vm()));
          ClusterVmGroup wanted = new ClusterVmGroup(name, List.copyOf(all));
          return new ClusterConfigSpecEx(
              rule.isPresent()
                  ? List.of()
                  : List.of(
                      ClusterRuleSpec.add(
                          new ClusterVmHostRuleInfo(null, name, true, true, name, hostGroup))),
              List.of(
                  present.isPresent()
                      ? ClusterGroupSpec.edit(wanted)
                      : ClusterGroupSpec.add(wanted)));
        });
  }

  /** Frees VMs from a group of hosts. Idempotent. */
  void remove(String hostGroup, List<ManagedObjectReference> vms) {
    change(
        hostGroup,
        (name, present, rule) -> {
          Set<ManagedObjectReference> rest = new LinkedHashSet<>();
          present.ifPresent(group -> rest.addAll(group.vm()));
          vms.forEach(rest::remove);
          if (!rest.isEmpty()) {
            return new ClusterConfigSpecEx(
                List.of(),
                List.of(ClusterGroupSpec.edit(new ClusterVmGroup(name, List.copyOf(rest)))));
          }
          return new ClusterConfigSpecEx(
              rule
                  .map(ClusterVmHostRuleInfo::key)
                  .filter(Objects::nonNull)
                  .map(ClusterRuleSpec::remove)
                  .stream()
                  .toList(),
              present.map(group -> ClusterGroupSpec.remove(name)).stream().toList());
        });
  }

  private interface Change {
    ClusterConfigSpecEx of(
        String name, Optional<ClusterVmGroup> group, Optional<ClusterVmHostRuleInfo> rule);
  }

  private void change(String hostGroup, Change change) {
    String name = Names.rule(vch, hostGroup, hostGroup);
    cluster.change(
        now ->
            change.of(
                name,
                ClusterConfiguration.named(
                    now.group(), ClusterVmGroup.class, ClusterVmGroup::name, name),
                ClusterConfiguration.named(
                    now.rule(), ClusterVmHostRuleInfo.class, ClusterVmHostRuleInfo::name, name)));
  }
}
