package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterHostGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmHostRuleInfo;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * VMs bound to a group of hosts, which an administrator made. The VCH has one group of VMs, and one
 * mandatory rule, for each such group that it uses; both go with their last VM.
 */
final class HostGroups {
  private static final Duration DEADLINE = Duration.ofMinutes(5);

  private final VimClient client;
  private final PropertyStream stream;
  private final VchSettings vch;
  private final ReentrantLock lock = new ReentrantLock();

  HostGroups(VimClient client, PropertyStream stream, VchSettings vch) {
    this.client = client;
    this.stream = stream;
    this.vch = vch;
  }

  /**
   * Says that there is a group of hosts.
   *
   * @throws PortLayerException NOT_FOUND, UNSUPPORTED (the pool is in no cluster)
   */
  void require(String hostGroup) {
    if (!vch.cluster().type().equals("ClusterComputeResource")) {
      throw new PortLayerException(
          Code.UNSUPPORTED, "the VCH's pool is in no cluster, so there are no groups of hosts");
    }
    boolean there =
        configuration().group().stream()
            .anyMatch(
                group -> group instanceof ClusterHostGroup hosts && hosts.name().equals(hostGroup));
    if (!there) {
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
    lock.lock();
    try {
      String name = Names.rule(vch.name(), hostGroup, hostGroup);
      ClusterConfigInfoEx now = configuration();
      ClusterConfigSpecEx spec = change.of(name, vmGroup(now, name), rule(now, name));
      if (!spec.rulesSpec().isEmpty() || !spec.groupSpec().isEmpty()) {
        stream.run(vch.cluster(), new Methods.ReconfigureComputeResource(spec, true), DEADLINE);
      }
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    } finally {
      lock.unlock();
    }
  }

  private static Optional<ClusterVmGroup> vmGroup(ClusterConfigInfoEx now, String name) {
    return now.group().stream()
        .filter(ClusterVmGroup.class::isInstance)
        .map(ClusterVmGroup.class::cast)
        .filter(group -> group.name().equals(name))
        .findFirst();
  }

  private static Optional<ClusterVmHostRuleInfo> rule(ClusterConfigInfoEx now, String name) {
    return now.rule().stream()
        .filter(ClusterVmHostRuleInfo.class::isInstance)
        .map(ClusterVmHostRuleInfo.class::cast)
        .filter(rule -> rule.name().equals(name))
        .findFirst();
  }

  private ClusterConfigInfoEx configuration() {
    try {
      return client
          .property(vch.cluster(), "configurationEx", ClusterConfigInfoEx.class)
          .orElse(new ClusterConfigInfoEx(List.of(), List.of()));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }
}
