package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.compute.ClusterConfiguration;
import dev.berth.portlayer.vsphere.vch.VchRecords.Found;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterAffinityRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigInfoEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleInfo;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterRuleSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmGroup;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterVmHostRuleInfo;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What is in the VM folder of a VCH: its containerVMs, and perhaps what somebody has put there. */
final class VchMembers {
  private static final Duration DEADLINE = Duration.ofMinutes(5);
  private static final String POWER = "runtime.powerState";
  private static final String FILES = "config.files.vmPathName";
  private static final List<PropertySpec> CONTENT =
      List.of(
          new PropertySpec("ManagedEntity", List.of("name")),
          new PropertySpec("VirtualMachine", List.of("name", POWER, FILES)));

  private final VimClient client;
  private final PropertyStream tasks;
  private final VchParts parts;
  private final InventoryTree tree;
  private final Found vch;

  VchMembers(
      VimClient client, PropertyStream tasks, VchParts parts, InventoryTree tree, Found vch) {
    this.client = client;
    this.tasks = tasks;
    this.parts = parts;
    this.tree = tree;
    this.vch = vch;
  }

  private Optional<ManagedObjectReference> folder() {
    return parts.child(InventoryTree.reference(vch.datacenter(), "vmFolder"), vch.root().name());
  }

  private List<ManagedObject> content() {
    return folder()
        .map(folder -> InventoryTree.read(client, folder, CONTENT).all().toList())
        .orElse(List.of());
  }

  /** How many VMs there are. */
  int count() {
    return content().size();
  }

  /** How many of the VMs are on. */
  int running() {
    return (int)
        content().stream()
            .filter(vm -> vm.get(POWER, String.class).equals(Optional.of("poweredOn")))
            .count();
  }

  /** What the record tells of and is not there, for people. */
  List<String> missing(Optional<ManagedObjectReference> pool) {
    List<String> missing = new ArrayList<>();
    if (folder().isEmpty()) {
      missing.add("the VM folder " + vch.root().name());
    }
    if (pool.isEmpty()) {
      missing.add("the resource pool " + vch.root().name());
    }
    DatastorePath iso = vch.root().resolve(vch.record().iso());
    if (vch.files().size(iso).isEmpty()) {
      missing.add("the bootstrap image " + iso);
    }
    return List.copyOf(missing);
  }

  /**
   * Says that the folder is empty.
   *
   * @throws PortLayerException FAILED_PRECONDITION
   */
  void requireNone() {
    List<ManagedObject> content = content();
    requireOwn(content);
    if (!content.isEmpty()) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "the VCH %s has %d containerVMs: delete their pods and wait, or end them all with --force"
              .formatted(vch.root().name(), content.size()));
    }
  }

  /** A containerVM's own files are in the VCH's folder on the datastore. */
  private boolean isOwn(ManagedObject object) {
    return object
        .get(FILES, String.class)
        .filter(path -> path.startsWith(vch.root() + "/"))
        .isPresent();
  }

  private void requireOwn(List<ManagedObject> content) {
    List<String> foreign =
        content.stream().filter(each -> !isOwn(each)).map(InventoryTree::name).toList();
    if (!foreign.isEmpty()) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "the VM folder %s holds what is not the VCH's: move %s elsewhere first"
              .formatted(vch.root().name(), String.join(", ", foreign)));
    }
  }

  /** Ends and removes all containerVMs, and first their rules. Idempotent. */
  void remove() {
    List<ManagedObject> content = content();
    requireOwn(content);
    if (!content.isEmpty()) {
      removeRules(
          content.stream().map(ManagedObject::reference).collect(Collectors.toUnmodifiableSet()));
    }
    content.forEach(vm -> remove(vm.reference()));
  }

  private void remove(ManagedObjectReference vm) {
    unless(
        () -> tasks.run(vm, new Methods.PowerOffVm(), DEADLINE),
        "InvalidPowerState",
        "ManagedObjectNotFound");
    unless(() -> client.run(vm, new Methods.UnregisterVm()), "ManagedObjectNotFound");
  }

  /** Does something that is done already when it fails in one of some ways. */
  private static void unless(Runnable work, String... done) {
    try {
      work.run();
    } catch (VimFault fault) {
      if (!fault.is(done)) {
        throw fault.toPortLayer();
      }
    }
  }

  private void removeRules(Set<ManagedObjectReference> vms) {
    Optional<ManagedObjectReference> cluster =
        tree.all("ClusterComputeResource")
            .filter(each -> tree.path(each).equals(vch.record().specification().compute()))
            .map(ManagedObject::reference)
            .findFirst();
    cluster.ifPresent(
        found ->
            new ClusterConfiguration(client, tasks, found).change(now -> withoutRules(now, vms)));
  }

  private static ClusterConfigSpecEx withoutRules(
      ClusterConfigInfoEx now, Set<ManagedObjectReference> vms) {
    Set<String> groups =
        now.group().stream()
            .filter(ClusterVmGroup.class::isInstance)
            .map(ClusterVmGroup.class::cast)
            .filter(group -> vms.containsAll(group.vm()))
            .map(ClusterVmGroup::name)
            .collect(Collectors.toUnmodifiableSet());
    List<ClusterRuleSpec> rules =
        now.rule().stream()
            .filter(rule -> isOf(rule, vms, groups))
            .map(ClusterRuleInfo::key)
            .filter(Objects::nonNull)
            .map(ClusterRuleSpec::remove)
            .toList();
    return new ClusterConfigSpecEx(rules, groups.stream().map(ClusterGroupSpec::remove).toList());
  }

  private static boolean isOf(
      ClusterRuleInfo rule, Set<ManagedObjectReference> vms, Set<String> groups) {
    return switch (rule) {
      case ClusterAffinityRuleSpec affinity -> vms.containsAll(affinity.vm());
      case ClusterVmHostRuleInfo hosts ->
          hosts.vmGroupName() != null && groups.contains(hosts.vmGroupName());
      default -> false;
    };
  }
}
