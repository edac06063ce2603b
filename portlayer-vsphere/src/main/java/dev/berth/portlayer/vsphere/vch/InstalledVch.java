package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.compute.VchSettings;
import dev.berth.portlayer.vsphere.network.PortGroups;
import dev.berth.portlayer.vsphere.vch.VchRecords.Found;
import dev.berth.portlayer.vsphere.vim.Clusters.ComputeResourceSummary;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.Backing;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A VCH found in vCenter: everything that its control plane needs, resolved to references.
 *
 * @param datacenterName the datacenter's inventory path
 */
public record InstalledVch(
    VchRecord record,
    VchSettings settings,
    String datacenterName,
    ManagedObjectReference datastore) {
  /**
   * Finds a VCH.
   *
   * @param authority the certificate, in PEM, by which guests know the control plane
   * @throws PortLayerException NOT_FOUND, which names what is missing, FAILED_PRECONDITION when it
   *     is unfinished, UNAVAILABLE
   */
  public static InstalledVch find(VimClient client, String name, String authority) {
    try (PropertyStream tasks = PropertyStream.open(client, List.of(), (s, o) -> {})) {
      return find(client, tasks, name, authority);
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  private static InstalledVch find(
      VimClient client, PropertyStream tasks, String name, String authority) {
    InventoryTree tree = InventoryTree.read(client);
    Found found =
        new VchRecords(client, tasks, tree)
            .find(name)
            .orElseThrow(
                () ->
                    missing(
                        "there is no VCH \"%s\" at this vCenter, or its datastore may not be read: 'berth vch create' makes one"
                            .formatted(name)));
    if (!found.finished()) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "the VCH %s is unfinished: run 'berth vch create' again, or 'berth vch delete'"
              .formatted(name));
    }
    VchPlan plan = plan(tree, found);
    VchParts parts = new VchParts(client, tasks);
    return new InstalledVch(
        found.record(),
        new VchSettings(
            name,
            plan.datacenter().reference(),
            plan.compute().reference(),
            require(parts.child(plan.parent(), name), "resource pool", name),
            require(parts.child(plan.vmFolder(), name), "VM folder", name),
            found.root(),
            found.root().resolve(found.record().iso()),
            authority,
            found.record().control(),
            megahertz(client, plan),
            found.record().overheadMebibytes(),
            backings(client, plan),
            plan.controlNetwork()
                .map(portGroup -> PortGroups.backing(client, portGroup.reference()))),
        tree.path(plan.datacenter()),
        found.datastore());
  }

  /**
   * What a VCH is made of.
   *
   * @throws PortLayerException NOT_FOUND, which names what is missing
   */
  static VchPlan plan(InventoryTree tree, Found found) {
    VchSpecification specification = found.record().specification();
    Findings findings = new Findings();
    return new Places(tree, findings)
        .resolve(specification)
        .orElseThrow(
            () ->
                missing(
                    "what the VCH %s is made of is not all there: %s"
                        .formatted(specification.name(), findings)));
  }

  private static PortLayerException missing(String message) {
    return new PortLayerException(Code.NOT_FOUND, message);
  }

  /**
   * A part that {@code berth vch create} has made.
   *
   * @throws PortLayerException NOT_FOUND
   */
  static ManagedObjectReference require(
      Optional<ManagedObjectReference> part, String kind, String name) {
    return part.orElseThrow(
        () ->
            missing(
                "the %s of the VCH %s is not there, or may not be seen: 'berth vch create' with the same settings makes it anew"
                    .formatted(kind, name)));
  }

  /** Of one core. */
  private static int megahertz(VimClient client, VchPlan plan) {
    ComputeResourceSummary summary =
        client
            .property(plan.compute().reference(), "summary", ComputeResourceSummary.class)
            .orElseThrow(
                () -> missing("%s has no summary".formatted(plan.specification().compute())));
    return summary.totalCpu() / Math.max(1, summary.numCpuCores());
  }

  private static Map<String, Backing> backings(VimClient client, VchPlan plan) {
    Map<String, Backing> backings = new HashMap<>();
    for (int i = 0; i < plan.networks().size(); i++) {
      ManagedObject portGroup = plan.networks().get(i);
      backings.put(
          plan.specification().networks().get(i).name(),
          PortGroups.backing(client, portGroup.reference()));
    }
    return backings;
  }
}
