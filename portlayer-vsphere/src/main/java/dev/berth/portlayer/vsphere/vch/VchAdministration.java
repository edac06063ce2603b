package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.Progress;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vch.VchRecords.Found;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Service.UserSession;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Makes, lists and removes the VCHs of a vCenter. Every method fails with {@link
 * PortLayerException}: UNAVAILABLE, PERMISSION_DENIED, INTERRUPTED, RESOURCE_EXHAUSTED, ….
 */
public final class VchAdministration implements AutoCloseable {
  private final VimClient client;
  private final PropertyStream tasks;
  private final VchParts parts;

  /** What became of a VCH. */
  public enum Outcome {
    CREATED,
    /** It was there as it was asked for. */
    UNCHANGED,
    CHANGED
  }

  /**
   * @param changes what is different now, for people
   * @param notes what the administrator should know
   */
  public record Result(
      Outcome outcome, VchRecord record, List<String> changes, List<VchProblem> notes) {}

  /**
   * One VCH of several.
   *
   * @param finished whether all of it is there; otherwise it is being made or removed, or that was
   *     broken off
   */
  public record Listed(VchRecord record, boolean finished) {}

  private VchAdministration(VimClient client, PropertyStream tasks) {
    this.client = client;
    this.tasks = tasks;
    parts = new VchParts(client, tasks);
  }

  /**
   * @param client the caller's to close, later
   */
  public static VchAdministration open(VimClient client) {
    return told(
        () ->
            new VchAdministration(
                client, PropertyStream.open(client, List.of(), (stream, objects) -> {})));
  }

  private static <T> T told(Supplier<T> work) {
    try {
      return work.get();
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /**
   * Makes a VCH whole or, when that fails or is interrupted, not at all. One that is there already
   * is changed to what is asked for where its containerVMs do not mind, and else refused.
   *
   * @throws InvalidVchException with everything that keeps it from being made; nothing was changed
   */
  public Result create(VchSpecification wanted, BootstrapIso iso, Progress progress) {
    return told(() -> createNow(wanted, iso, progress));
  }

  private Result createNow(VchSpecification wanted, BootstrapIso iso, Progress progress) {
    InventoryTree tree = InventoryTree.read(client);
    VchRecords records = new VchRecords(client, tasks, tree);
    List<Found> all = records.all();
    Findings findings = new Findings();
    VchPlan plan =
        new VchValidation(client, tree, findings)
            .check(wanted, iso, all.stream().map(Found::record).toList());
    Optional<Found> present = records.find(wanted.name());
    if (present.isPresent() && present.get().finished()) {
      Result changed =
          new VchChange(members(tree, present.get()))
              .apply(
                  present.get(),
                  installation(tree, present.get()),
                  plan,
                  parts.child(plan.parent(), wanted.name()),
                  iso,
                  progress);
      return new Result(changed.outcome(), changed.record(), changed.changes(), findings.notes());
    }
    present.ifPresent(broken -> removeRemains(tree, broken));
    DatastoreFiles files = records.files(plan.datacenter(), plan.datastore().reference());
    DatastorePath root = files.root().resolve(wanted.name());
    requireFree(plan, files, root, findings);
    VchRecord record = VchRecord.of(plan.specification(), iso, now(), user());
    new VchInstallation(parts, files, root, plan.vmFolder(), plan.parent())
        .make(record, iso, progress);
    return new Result(Outcome.CREATED, record, List.of(), findings.notes());
  }

  private static Instant now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS);
  }

  private String user() {
    return PrivilegeChecks.session(client).map(UserSession::userName).orElse("");
  }

  /** What somebody else has made under the VCH's name is not touched. */
  private void requireFree(
      VchPlan plan, DatastoreFiles files, DatastorePath root, Findings findings) {
    String name = root.name();
    if (parts.any(plan.vmFolder(), name).isPresent()) {
      findings.problem(
          "name",
          "the VM folder of %s has a \"%s\" already: choose another name"
              .formatted(plan.specification().datacenter(), name));
    }
    if (parts.child(plan.parent(), name).isPresent()) {
      findings.problem(
          "name",
          "there is a resource pool \"%s\" already in %s: choose another name"
              .formatted(name, plan.specification().compute()));
    }
    if (!files.list(root).isEmpty()) {
      findings.problem(
          "name", "there are files in %s already: choose another name".formatted(root));
    }
    findings.raise();
  }

  /**
   * All VCHs whose datastores the user may look at, by name. One whose VM folder is gone is not
   * among them; the other methods know it by its name.
   */
  public List<Listed> list() {
    return told(
        () ->
            new VchRecords(client, tasks, InventoryTree.read(client))
                .all().stream()
                    .map(found -> new Listed(found.record(), found.finished()))
                    .toList());
  }

  /**
   * What a VCH has and uses now.
   *
   * @throws PortLayerException NOT_FOUND
   */
  public VchState inspect(String name) {
    return told(
        () -> {
          InventoryTree tree = InventoryTree.read(client);
          Found found = require(tree, name);
          VchMembers members = members(tree, found);
          Optional<ManagedObjectReference> pool =
              new Places(tree, new Findings())
                  .parent(found.record().specification())
                  .flatMap(parent -> parts.child(parent, name));
          return VchState.of(client, found, members, pool, members.missing(pool));
        });
  }

  /**
   * Gives a user what {@code berth kubelet} needs for a VCH at vCenter: roles of the privileges of
   * {@link Privileges}. Idempotent; what it gave before an error stays.
   *
   * @param user as in {@code berth-ops@vsphere.local}
   * @return what is different now, for people
   * @throws InvalidVchException when there is no such user, or it has other roles there
   * @throws PortLayerException NOT_FOUND when there is no such VCH, PERMISSION_DENIED, …
   */
  public List<String> grant(String name, String user) {
    return told(
        () -> {
          InventoryTree tree = InventoryTree.read(client);
          Found found = require(tree, name);
          VchPlan plan = InstalledVch.plan(tree, found);
          return new VchGrants(client, tree)
              .give(
                  plan,
                  InstalledVch.require(parts.child(plan.vmFolder(), name), "VM folder", name),
                  InstalledVch.require(parts.child(plan.parent(), name), "resource pool", name),
                  user);
        });
  }

  private Found require(InventoryTree tree, String name) {
    return new VchRecords(client, tasks, tree)
        .find(name)
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.NOT_FOUND,
                    "there is no VCH \"%s\": 'berth vch ls' lists those that there are"
                        .formatted(name)));
  }

  /**
   * Removes a VCH with all that {@link #create} made and all that its control plane keeps there.
   * Idempotent.
   *
   * @param force whether to end and remove its containerVMs, with their rules
   * @return whether there was any
   * @throws PortLayerException FAILED_PRECONDITION when there are containerVMs, or VMs of somebody
   *     else in its folder
   */
  public boolean delete(String name, boolean force) {
    return told(
        () -> {
          InventoryTree tree = InventoryTree.read(client);
          Optional<Found> found = new VchRecords(client, tasks, tree).find(name);
          found.ifPresent(vch -> delete(tree, vch, force));
          return found.isPresent();
        });
  }

  private void delete(InventoryTree tree, Found found, boolean force) {
    VchMembers members = members(tree, found);
    if (force) {
      members.remove();
    }
    members.requireNone();
    installation(tree, found).remove();
  }

  private void removeRemains(InventoryTree tree, Found broken) {
    members(tree, broken).requireNone();
    installation(tree, broken).remove();
  }

  private VchMembers members(InventoryTree tree, Found found) {
    return new VchMembers(client, tasks, parts, tree, found);
  }

  private VchInstallation installation(InventoryTree tree, Found found) {
    return new VchInstallation(
        parts,
        found.files(),
        found.root(),
        InventoryTree.reference(found.datacenter(), "vmFolder"),
        parent(tree, found));
  }

  /** The pool that the VCH's is in. */
  private ManagedObjectReference parent(InventoryTree tree, Found found) {
    VchSpecification specification = found.record().specification();
    return new Places(tree, new Findings())
        .parent(specification)
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.NOT_FOUND,
                    "%s, where the VCH %s has its pool, is not there: was it renamed or moved?"
                        .formatted(
                            (specification.compute() + " " + specification.pool()).strip(),
                            specification.name())));
  }

  @Override
  public void close() {
    tasks.close();
  }
}
