package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vim.Clusters.ComputeResourceSummary;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Everything that can be wrong with a specification, looked at before anything is changed. */
final class VchValidation {
  /** vCenter's limit for the names of pools and folders. */
  private static final int LONGEST_NAME = 80;

  private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9.-]*[a-z0-9])?");

  private final VimClient client;
  private final InventoryTree tree;
  private final Findings findings;

  VchValidation(VimClient client, InventoryTree tree, Findings findings) {
    this.client = client;
    this.tree = tree;
    this.findings = findings;
  }

  /**
   * What a specification means.
   *
   * @param others all VCHs that there are; one of the same name is for the caller
   * @throws InvalidVchException with all problems
   */
  VchPlan check(VchSpecification wanted, BootstrapIso iso, List<VchRecord> others) {
    name(wanted.name());
    control(wanted.control());
    NetworkChecks networks = new NetworkChecks(client, tree, findings);
    networks.check(wanted);
    Optional<VchPlan> plan = new Places(tree, findings).resolve(wanted);
    plan.ifPresent(
        found -> {
          networks.check(found);
          others.stream()
              .filter(other -> !other.name().equals(wanted.name()))
              .forEach(other -> networks.check(found, other));
          new HostChecks(client, findings).check(found, iso.size());
          limits(found);
          new PrivilegeChecks(client, tree, findings).check(found);
        });
    findings.raise();
    return plan.orElseThrow();
  }

  private void name(String name) {
    if (!NAME.matcher(name).matches()) {
      findings.problem(
          "name",
          "\"%s\" must be lower-case letters, digits, dots and dashes, and begin and end with a letter or digit"
              .formatted(name));
    }
    if (name.length() > LONGEST_NAME) {
      findings.problem(
          "name",
          "has %d characters; vCenter takes %d at most: choose a shorter one"
              .formatted(name.length(), LONGEST_NAME));
    }
  }

  private void control(URI control) {
    boolean complete = control.getHost() != null && control.getPort() > 0;
    boolean bare = control.getUserInfo() == null && "".equals(control.getPath());
    if (!"tcp".equals(control.getScheme()) || !complete || !bare) {
      findings.problem(
          "control",
          "\"%s\" must have the form tcp://ADDRESS:PORT, where hypervisors reach 'berth kubelet --control-address'"
              .formatted(control));
    }
  }

  private void limits(VchPlan plan) {
    VchSpecification.Limits limits = plan.specification().limits();
    Optional<ComputeResourceSummary> summary =
        client.property(plan.compute().reference(), "summary", ComputeResourceSummary.class);
    long megahertz = summary.map(ComputeResourceSummary::totalCpu).orElse(0);
    long mebibytes = summary.map(ComputeResourceSummary::totalMemory).orElse(0L) >> 20;
    String compute = InventoryTree.name(plan.compute());
    if (limits.megahertz() > megahertz) {
      findings.note(
          "cpu-limit",
          "%d MHz is more than the %d that %s has"
              .formatted(limits.megahertz(), megahertz, compute));
    }
    if (limits.mebibytes() > mebibytes) {
      findings.note(
          "memory-limit",
          "%d MiB is more than the %d that %s has"
              .formatted(limits.mebibytes(), mebibytes, compute));
    }
  }
}
