package dev.berth.portlayer.vsphere.vim;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rules and groups by which DRS places VMs. */
public final class Clusters {
  private Clusters() {}

  /** A change of a cluster. */
  public record ClusterConfigSpecEx(
      List<ClusterRuleSpec> rulesSpec, List<ClusterGroupSpec> groupSpec) implements DataObject {}

  /**
   * @param operation {@code add}, {@code edit} or {@code remove}
   * @param removeKey the rule's key, to remove it
   */
  public record ClusterRuleSpec(
      String operation, @Nullable AnyValue removeKey, @Nullable ClusterRuleInfo info)
      implements DataObject {
    public static ClusterRuleSpec add(ClusterRuleInfo rule) {
      return new ClusterRuleSpec("add", null, rule);
    }

    public static ClusterRuleSpec edit(ClusterRuleInfo rule) {
      return new ClusterRuleSpec("edit", null, rule);
    }

    public static ClusterRuleSpec remove(int key) {
      return new ClusterRuleSpec("remove", new AnyValue(key), null);
    }
  }

  public interface ClusterRuleInfo extends DataObject {
    /** The rule's key; unset in one that is to be added. */
    @Nullable Integer key();
  }

  /** Keeps VMs on one host. */
  public record ClusterAffinityRuleSpec(
      @Nullable Integer key,
      String name,
      Boolean enabled,
      @Nullable Boolean mandatory,
      List<ManagedObjectReference> vm)
      implements ClusterRuleInfo {}

  /** Binds a group of VMs to a group of hosts. */
  public record ClusterVmHostRuleInfo(
      @Nullable Integer key,
      String name,
      Boolean enabled,
      @Nullable Boolean mandatory,
      @Nullable String vmGroupName,
      @Nullable String affineHostGroupName)
      implements ClusterRuleInfo {}

  /**
   * @param removeKey the group's name, to remove it
   */
  public record ClusterGroupSpec(
      String operation, @Nullable AnyValue removeKey, @Nullable ClusterGroupInfo info)
      implements DataObject {
    public static ClusterGroupSpec add(ClusterGroupInfo group) {
      return new ClusterGroupSpec("add", null, group);
    }

    public static ClusterGroupSpec edit(ClusterGroupInfo group) {
      return new ClusterGroupSpec("edit", null, group);
    }

    public static ClusterGroupSpec remove(String name) {
      return new ClusterGroupSpec("remove", new AnyValue(name), null);
    }
  }

  public interface ClusterGroupInfo extends DataObject {}

  public record ClusterVmGroup(String name, List<ManagedObjectReference> vm)
      implements ClusterGroupInfo {}

  public record ClusterHostGroup(String name, List<ManagedObjectReference> host)
      implements ClusterGroupInfo {}

  /**
   * What the hosts of a cluster, or a host alone, have.
   *
   * @param totalCpu MHz of all cores
   * @param totalMemory bytes
   */
  public record ComputeResourceSummary(Integer totalCpu, Integer numCpuCores, Long totalMemory)
      implements DataObject {}

  /** What a cluster is set to. */
  public record ClusterConfigInfoEx(List<ClusterRuleInfo> rule, List<ClusterGroupInfo> group)
      implements DataObject {}
}
