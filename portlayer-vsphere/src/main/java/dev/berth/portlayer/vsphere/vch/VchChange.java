package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.Progress;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Outcome;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Result;
import dev.berth.portlayer.vsphere.vch.VchRecords.Found;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Brings a VCH that is there to what is asked for. */
final class VchChange {
  private final VchMembers members;
  private final List<String> changes = new ArrayList<>();
  private final Findings findings = new Findings();

  VchChange(VchMembers members) {
    this.members = members;
  }

  Result apply(
      Found present,
      VchInstallation installation,
      VchPlan plan,
      Optional<ManagedObjectReference> pool,
      BootstrapIso iso,
      Progress progress) {
    VchRecord old = present.record();
    VchSpecification wanted = plan.specification();
    place("datacenter", old.specification().datacenter(), wanted.datacenter());
    place("compute", old.specification().compute(), wanted.compute());
    place("pool", old.specification().pool(), wanted.pool());
    place("datastore", old.specification().datastore(), wanted.datastore());
    networks(old.networks(), wanted.networks());
    always("limits", old.specification().limits(), wanted.limits());
    always(
        "control network",
        named(old.specification().controlNetwork()),
        named(wanted.controlNetwork()));
    whenEmpty("control", "control", old.control(), wanted.control());
    always("bootstrap image", old.iso(), iso.name());
    findings.raise();
    VchRecord now = VchRecord.of(wanted, iso, old.createdAt(), old.createdBy());
    members.missing(pool).forEach(part -> changes.add(part + " was not there and is made anew"));
    if (!changes.isEmpty()) {
      installation.complete(now, iso, progress);
      installation.update(now);
    }
    return new Result(
        changes.isEmpty() ? Outcome.UNCHANGED : Outcome.CHANGED,
        now,
        List.copyOf(changes),
        List.of());
  }

  private static String named(String portGroup) {
    return portGroup.isEmpty() ? "none" : portGroup;
  }

  private void place(String option, String old, String wanted) {
    if (!old.equals(wanted)) {
      findings.problem(
          option,
          "the VCH is in %s, not %s, and cannot move: delete it first, or choose another name"
              .formatted(old, wanted));
    }
  }

  private void always(String what, Object old, Object wanted) {
    if (!Objects.equals(old, wanted)) {
      changes.add("%s: %s instead of %s".formatted(what, wanted, old));
    }
  }

  private void whenEmpty(String option, String what, Object old, Object wanted) {
    if (Objects.equals(old, wanted)) {
      return;
    }
    int vms = members.count();
    if (vms > 0) {
      findings.problem(
          option,
          "%s is %s, not %s, and %d containerVMs depend on it: remove them first"
              .formatted(what, old, wanted, vms));
    }
    always(what, old, wanted);
  }

  private void networks(List<PortGroupNetwork> old, List<PortGroupNetwork> wanted) {
    for (PortGroupNetwork before : old) {
      Object after =
          wanted.stream()
              .filter(each -> each.name().equals(before.name()))
              .findFirst()
              .map(Object.class::cast)
              .orElse("none");
      whenEmpty("network", "network " + before.name(), before, after);
    }
    wanted.stream()
        .filter(each -> old.stream().noneMatch(before -> before.name().equals(each.name())))
        .forEach(each -> changes.add("network %s is new".formatted(each.name())));
  }
}
