package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vch.Privileges.Place;
import dev.berth.portlayer.vsphere.vch.Privileges.Privilege;
import dev.berth.portlayer.vsphere.vch.Privileges.User;
import dev.berth.portlayer.vsphere.vim.Administration.AuthorizationRole;
import dev.berth.portlayer.vsphere.vim.Administration.Permission;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Gives the operations user of a VCH roles of exactly the privileges that it needs, where it needs
 * them, and takes nothing from anybody.
 */
final class VchGrants {
  static final String OPTION = "operations-user";

  /** A role of vCenter's own, by its number in the API reference. */
  private static final int READ_ONLY = -2;

  private static final String ROLES = "roleList";

  private final VimClient client;
  private final ManagedObjectReference manager;
  private final InventoryTree tree;

  /** A role that is wanted on an object; that of vCenter's own for looking has no privileges. */
  private record Grant(
      ManagedObject object, String role, List<String> privileges, boolean propagate) {
    boolean readOnly() {
      return privileges.isEmpty();
    }
  }

  VchGrants(VimClient client, InventoryTree tree) {
    this.client = client;
    this.tree = tree;
    manager = client.content().authorizationManager();
  }

  /**
   * Gives what is not given yet, and brings the roles up to date.
   *
   * @param user as in {@code berth-ops@vsphere.local}
   * @return what is different now, for people
   * @throws InvalidVchException when the user has another role where one is needed; nothing was
   *     changed
   */
  List<String> give(
      VchPlan plan, ManagedObjectReference folder, ManagedObjectReference pool, String user) {
    String principal = principal(user);
    List<Grant> missing = new ArrayList<>();
    Findings findings = new Findings();
    for (Grant grant : wanted(plan, folder, pool)) {
      Optional<Permission> given = permission(grant.object(), principal);
      if (given.isEmpty()) {
        missing.add(grant);
      } else if (!grant.readOnly() && !given.get().roleId().equals(number(grant.role()))) {
        findings.problem(
            OPTION,
            "%s has another role on %s, which would be lost: name a user that is for Berth alone"
                .formatted(user, tree.path(grant.object())));
      }
    }
    findings.raise();
    List<String> changes = new ArrayList<>(bringRolesUpToDate());
    for (Grant grant : missing) {
      give(grant, principal, user);
      changes.add("%s on %s".formatted(grant.role(), tree.path(grant.object())));
    }
    return changes;
  }

  /** As vCenter has it: {@code VSPHERE.LOCAL\\berth-ops}. */
  private static String principal(String user) {
    int at = user.lastIndexOf('@');
    return at < 0
        ? user
        : user.substring(at + 1).toUpperCase(Locale.ROOT) + "\\" + user.substring(0, at);
  }

  private List<Grant> wanted(
      VchPlan plan, ManagedObjectReference folder, ManagedObjectReference pool) {
    List<Grant> wanted = new ArrayList<>();
    tree.find(folder).ifPresent(object -> wanted.add(grant(Place.VM_FOLDER, object)));
    tree.find(pool).ifPresent(object -> wanted.add(grant(Place.POOL, object)));
    if (plan.compute().reference().type().equals("ClusterComputeResource")) {
      wanted.add(grant(Place.CLUSTER, plan.compute()));
    }
    wanted.add(grant(Place.DATASTORE, plan.datastore()));
    Stream.concat(plan.networks().stream(), plan.controlNetwork().stream())
        .forEach(portGroup -> wanted.add(grant(Place.NETWORK, portGroup)));
    // What is in the datacenter is seen; of what is around it, the names on the way there.
    tree.upwards(plan.datacenter())
        .forEach(
            object ->
                wanted.add(
                    new Grant(object, "Read-only", List.of(), object.equals(plan.datacenter()))));
    return wanted;
  }

  private static Grant grant(Place place, ManagedObject object) {
    return new Grant(object, role(place), privileges(place), true);
  }

  private static String role(Place place) {
    return "berth-operations-" + place.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<String> privileges(Place place) {
    return Privileges.of(User.OPERATIONS).stream()
        .filter(privilege -> privilege.place() == place)
        .map(Privilege::id)
        .toList();
  }

  private Optional<Permission> permission(ManagedObject object, String principal) {
    return client
        .find(manager, new Methods.RetrieveEntityPermissions(object.reference(), false))
        .stream()
        .flatMap(List::stream)
        .filter(each -> !each.group() && principal(each.principal()).equalsIgnoreCase(principal))
        .findFirst();
  }

  private List<AuthorizationRole> roles() {
    return ManagedObject.read(client, manager, List.of(ROLES)).list(ROLES, AuthorizationRole.class);
  }

  private Optional<AuthorizationRole> role(String name) {
    return roles().stream().filter(role -> role.name().equals(name)).findFirst();
  }

  private int number(String role) {
    return role(role).map(AuthorizationRole::roleId).orElse(0);
  }

  /** The roles serve all VCHs of this vCenter. */
  private List<String> bringRolesUpToDate() {
    List<String> changes = new ArrayList<>();
    for (Place place :
        Privileges.of(User.OPERATIONS).stream()
            .map(Privilege::place)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Place.class)))) {
      List<String> privileges = privileges(place);
      Optional<AuthorizationRole> role = role(role(place));
      if (role.isEmpty()) {
        var _ = client.call(manager, new Methods.AddAuthorizationRole(role(place), privileges));
        changes.add("role %s made".formatted(role(place)));
      } else if (!own(role.get()).equals(Set.copyOf(privileges))) {
        client.run(
            manager,
            new Methods.UpdateAuthorizationRole(role.get().roleId(), role(place), privileges));
        changes.add("role %s changed".formatted(role(place)));
      }
    }
    return changes;
  }

  /** Without those to look, which vCenter adds to every role. */
  private static Set<String> own(AuthorizationRole role) {
    return role.privilege().stream()
        .filter(id -> !id.startsWith("System."))
        .collect(Collectors.toUnmodifiableSet());
  }

  private void give(Grant grant, String principal, String user) {
    int role = grant.readOnly() ? READ_ONLY : number(grant.role());
    try {
      client.run(
          manager,
          new Methods.SetEntityPermissions(
              grant.object().reference(),
              List.of(new Permission(principal, false, role, grant.propagate()))));
    } catch (VimFault fault) {
      if (fault.is("UserNotFound")) {
        Findings findings = new Findings();
        findings.problem(OPTION, "vCenter knows no user %s: make it first".formatted(user));
        findings.raise();
      }
      throw fault;
    }
  }
}
