package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.network.Subnet;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.DVPortgroupConfigInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Whether containers can have the networks that are asked for. */
final class NetworkChecks {
  private final VimClient client;
  private final InventoryTree tree;
  private final Findings findings;

  NetworkChecks(VimClient client, InventoryTree tree, Findings findings) {
    this.client = client;
    this.tree = tree;
    this.findings = findings;
  }

  /** What does not depend on a vCenter. */
  void check(VchSpecification wanted) {
    if (wanted.networks().isEmpty()) {
      findings.problem("network", "is missing: name at least one container network");
    }
    Set<String> names = new HashSet<>();
    for (PortGroupNetwork network : wanted.networks()) {
      if (!names.add(network.name())) {
        findings.problem("network", "\"%s\" is given twice".formatted(network.name()));
      }
    }
    List<PortGroupNetwork> networks = wanted.networks();
    for (int i = 0; i < networks.size(); i++) {
      for (PortGroupNetwork other : networks.subList(0, i)) {
        if (collide(networks.get(i), other)) {
          findings.problem(
              "network",
              "%s and %s give out the same addresses on %s: give them ranges that do not overlap"
                  .formatted(other.name(), networks.get(i).name(), other.portGroup()));
        }
      }
    }
  }

  void check(VchPlan plan) {
    for (int i = 0; i < plan.networks().size(); i++) {
      check(plan, "network", plan.specification().networks().get(i).name(), plan.networks().get(i));
    }
    plan.controlNetwork()
        .ifPresent(
            portGroup -> {
              check(plan, "control-network", "the control network", portGroup);
              new ControlNetworkChecks(client, findings).check(plan, portGroup);
            });
  }

  private void check(VchPlan plan, String option, String name, ManagedObject portGroup) {
    String called = InventoryTree.name(portGroup);
    if (isUplink(portGroup)) {
      findings.problem(
          option,
          "%s: %s holds a switch's uplinks: name a port group for VMs".formatted(name, called));
    }
    List<ManagedObjectReference> with = portGroup.list("host", ManagedObjectReference.class);
    List<String> without =
        plan.hosts().stream()
            .filter(host -> !with.contains(host.reference()))
            .map(InventoryTree::name)
            .toList();
    if (!without.isEmpty()) {
      findings.problem(
          option,
          "%s: the hosts %s have no port group %s, so VMs on it could not run there: add them to its switch"
              .formatted(name, String.join(", ", without), called));
    }
  }

  private boolean isUplink(ManagedObject portGroup) {
    return portGroup.reference().type().equals("DistributedVirtualPortgroup")
        && client
            .property(portGroup.reference(), "config", DVPortgroupConfigInfo.class)
            .map(DVPortgroupConfigInfo::uplink)
            .orElse(false);
  }

  /** Two VCHs do not know of each other's addresses, nor whose dial-outs are whose. */
  void check(VchPlan plan, VchRecord other) {
    if (other.control().equals(plan.specification().control())) {
      findings.problem(
          "control",
          "%s is the VCH %s's: give each VCH an address and port of its own"
              .formatted(other.control(), other.name()));
    }
    if (!other.specification().datacenter().equals(tree.path(plan.datacenter()))) {
      return;
    }
    for (PortGroupNetwork theirs : other.networks()) {
      for (PortGroupNetwork ours : plan.specification().networks()) {
        if (collide(ours, theirs)) {
          findings.problem(
              "network",
              "%s: the VCH %s gives out %s to %s on %s already: choose a range that does not overlap"
                  .formatted(
                      ours.name(),
                      other.name(),
                      theirs.first(),
                      theirs.last(),
                      theirs.portGroup()));
        }
      }
    }
  }

  private static boolean collide(PortGroupNetwork one, PortGroupNetwork other) {
    return one.portGroup().equals(other.portGroup())
        && address(one.first()) <= address(other.last())
        && address(other.first()) <= address(one.last());
  }

  private static long address(String text) {
    return Subnet.address("range", text);
  }
}
