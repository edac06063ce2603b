package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.Administration.ClusterDrsConfigInfo;
import dev.berth.portlayer.vsphere.vim.Administration.DatastoreHostMount;
import dev.berth.portlayer.vsphere.vim.Administration.HostFirewallDefaultPolicy;
import dev.berth.portlayer.vsphere.vim.Administration.HostFirewallInfo;
import dev.berth.portlayer.vsphere.vim.Administration.HostMountInfo;
import dev.berth.portlayer.vsphere.vim.Administration.KeyValue;
import dev.berth.portlayer.vsphere.vim.Administration.LicenseManagerLicenseInfo;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Service.DatastoreSummary;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether hosts and what they share are such that containerVMs can run on each of them. */
final class HostChecks {
  private static final long GIBIBYTE = 1L << 30;

  /** Either lets a host dial out for a VM's serial port. */
  private static final List<String> RULESETS = List.of("remoteSerialPort", "vSPC");

  private static final String FIREWALL = "configManager.firewallSystem";
  private static final String SERIAL_FEATURE = "serialuri(:.*)?";

  private final VimClient client;
  private final Findings findings;

  HostChecks(VimClient client, Findings findings) {
    this.client = client;
    this.findings = findings;
  }

  void check(VchPlan plan, long isoSize) {
    if (plan.hosts().isEmpty()) {
      findings.problem(
          "compute",
          "%s has no host that can be seen: add one, or give the user the role Read-only on it"
              .formatted(plan.specification().compute()));
      return;
    }
    drs(plan.compute());
    connections(plan.hosts());
    datastore(plan, isoSize);
    firewalls(plan.hosts());
    licences(plan.hosts());
  }

  private void drs(ManagedObject compute) {
    if (!compute.reference().type().equals("ClusterComputeResource")) {
      return;
    }
    Optional<ClusterDrsConfigInfo> drs =
        ManagedObject.read(client, compute.reference(), List.of("configurationEx.drsConfig"))
            .get("configurationEx.drsConfig", ClusterDrsConfigInfo.class);
    if (!drs.map(ClusterDrsConfigInfo::enabled).orElse(false)) {
      findings.problem(
          "compute",
          ("DRS is off in %s: without it a cluster has no resource pools, pods are not placed by load, and their VMs are"
                  + " not kept together. Turn it on, or name one host that is in no cluster")
              .formatted(InventoryTree.name(compute)));
    } else if (drs.map(ClusterDrsConfigInfo::defaultVmBehavior).orElse("").equals("manual")) {
      findings.problem(
          "compute",
          ("DRS is manual in %s: each containerVM would wait for somebody to confirm where it starts. Set it to"
                  + " partially or fully automated")
              .formatted(InventoryTree.name(compute)));
    }
  }

  private void connections(List<ManagedObject> hosts) {
    for (ManagedObject host : hosts) {
      String state = host.get("runtime.connectionState", String.class).orElse("");
      if (!state.equals("connected")) {
        findings.note(
            "compute",
            "the host %s is %s: nothing runs there".formatted(InventoryTree.name(host), state));
      }
    }
  }

  private void datastore(VchPlan plan, long isoSize) {
    ManagedObject datastore = plan.datastore();
    String name = InventoryTree.name(datastore);
    Optional<DatastoreSummary> readable = datastore.get("summary", DatastoreSummary.class);
    if (readable.isEmpty()) {
      findings.problem(
          "datastore",
          "%s may not be read: give the user the role Read-only on it".formatted(name));
      return;
    }
    DatastoreSummary summary = readable.get();
    List<ManagedObjectReference> mounted =
        datastore.list("host", DatastoreHostMount.class).stream()
            .filter(mount -> usable(mount.mountInfo()))
            .map(DatastoreHostMount::key)
            .toList();
    List<String> without =
        plan.hosts().stream()
            .filter(host -> !mounted.contains(host.reference()))
            .map(InventoryTree::name)
            .toList();
    if (!summary.accessible()) {
      findings.problem(
          "datastore", "%s is not accessible now: mend it, or name another".formatted(name));
    } else if (!without.isEmpty()) {
      findings.problem(
          "datastore",
          "the hosts %s cannot write to %s: mount it there, or name one that all hosts of %s share"
              .formatted(String.join(", ", without), name, plan.specification().compute()));
    }
    if (summary.freeSpace() < isoSize + GIBIBYTE) {
      findings.problem(
          "datastore",
          "%s has %d MiB free, and the bootstrap image and one small image need %d: make room, or name another"
              .formatted(name, summary.freeSpace() >> 20, (isoSize + GIBIBYTE) >> 20));
    }
  }

  private static boolean usable(HostMountInfo mount) {
    return mount.accessMode().equals("readWrite")
        && !Boolean.FALSE.equals(mount.mounted())
        && !Boolean.FALSE.equals(mount.accessible());
  }

  private void firewalls(List<ManagedObject> hosts) {
    List<String> closed = hosts.stream().filter(this::closed).map(InventoryTree::name).toList();
    if (!closed.isEmpty()) {
      findings.problem(
          "compute",
          ("the firewalls of %s let no serial port dial out: enable the rule set \"VM serial port connected over network\""
                  + " there (esxcli network firewall ruleset set --ruleset-id remoteSerialPort --enabled true)")
              .formatted(String.join(", ", closed)));
    }
  }

  /** What cannot be seen is taken for open. */
  private boolean closed(ManagedObject host) {
    Optional<HostFirewallInfo> firewall =
        ManagedObject.read(client, host.reference(), List.of(FIREWALL))
            .get(FIREWALL, ManagedObjectReference.class)
            .flatMap(system -> client.property(system, "firewallInfo", HostFirewallInfo.class));
    boolean blocks =
        firewall
            .map(HostFirewallInfo::defaultPolicy)
            .map(HostFirewallDefaultPolicy::outgoingBlocked)
            .orElse(true);
    return blocks
        && firewall.isPresent()
        && firewall.get().ruleset().stream()
            .noneMatch(rules -> RULESETS.contains(rules.key()) && rules.enabled());
  }

  private void licences(List<ManagedObject> hosts) {
    List<String> without = new ArrayList<>();
    try {
      for (ManagedObject host : hosts) {
        if (!licensed(host.reference())) {
          without.add(InventoryTree.name(host));
        }
      }
    } catch (VimFault fault) {
      if (!fault.is("NoPermission")) {
        throw fault;
      }
      findings.note(
          "compute",
          "whether the hosts' licences allow serial ports over the network cannot be seen without the privilege"
              + " Global.Licenses on the vCenter; without such a licence no containerVM starts");
      return;
    }
    if (!without.isEmpty()) {
      findings.problem(
          "compute",
          ("the licences of %s lack \"Remote virtual Serial Port Concentrator\", without which no containerVM starts:"
                  + " assign one of vSphere Enterprise Plus or vSphere Foundation")
              .formatted(String.join(", ", without)));
    }
  }

  private boolean licensed(ManagedObjectReference host) {
    ManagedObjectReference manager = client.content().licenseManager();
    Optional<ManagedObjectReference> assignments =
        manager == null
            ? Optional.empty()
            : client.property(manager, "licenseAssignmentManager", ManagedObjectReference.class);
    if (assignments.isEmpty()) {
      return true;
    }
    var assigned = client.find(assignments.get(), new Methods.QueryAssignedLicenses(host.value()));
    return assigned.isEmpty()
        || assigned.get().stream().anyMatch(each -> hasFeature(each.assignedLicense()));
  }

  private static boolean hasFeature(LicenseManagerLicenseInfo licence) {
    return licence.properties().stream()
        .filter(property -> property.key().equals("feature"))
        .map(property -> property.value().value())
        .anyMatch(
            value -> value instanceof KeyValue feature && feature.key().matches(SERIAL_FEATURE));
  }
}
