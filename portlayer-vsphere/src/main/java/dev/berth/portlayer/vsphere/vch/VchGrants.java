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
import java.util.Map;
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

  /** A role that is wanted on an object: one of Berth's, or else vCenter's own for looking. */
  private record Grant(ManagedObject object, Optional<Place> place, boolean propagate) {
    String role() {
      return place.map(VchGrants::role).orElse("Read-only");
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
    Map<String, AuthorizationRole> roles = roles();
    List<Grant> missing = new ArrayList<>();
    Findings findings = new Findings();
    for (Grant grant : wanted(plan, folder, pool)) {
      Optional<Permission> given = permission(grant.object(), principal);
      if (given.isEmpty()) {
        missing.add(grant);
      } else if (grant.place().isPresent() && given.get().roleId() != number(roles, grant)) {
        findings.problem(
            OPTION,
            "%s has another role on %s, which would be lost: name a user that is for Berth alone"
                .formatted(user, tree.path(grant.object())));
      }
    }
    findings.raise();
    List<String> changes = new ArrayList<>(bringUpToDate(roles));
    roles = roles();
    for (Grant grant : missing) {
      give(grant, number(roles, grant), principal, user);
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
                wanted.add(new Grant(object, Optional.empty(), object.equals(plan.datacenter()))));
    return wanted;
  }

  private static Grant grant(Place place, ManagedObject object) {
    return new Grant(object, Optional.of(place), true);
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

  /** By name, which is unique. */
  private Map<String, AuthorizationRole> roles() {
    return ManagedObject.read(client, manager, List.of(ROLES))
        .list(ROLES, AuthorizationRole.class)
        .stream()
        .collect(Collectors.toUnmodifiableMap(AuthorizationRole::name, role -> role));
  }

  /** 0, which is no role's, when there is none yet. */
  private static int number(Map<String, AuthorizationRole> roles, Grant grant) {
    if (grant.place().isEmpty()) {
      return READ_ONLY;
    }
    AuthorizationRole role = roles.get(grant.role());
    return role == null ? 0 : role.roleId();
  }

  /** The roles serve all VCHs of this vCenter. */
  private List<String> bringUpToDate(Map<String, AuthorizationRole> roles) {
    List<String> changes = new ArrayList<>();
    for (Place place :
        Privileges.of(User.OPERATIONS).stream()
            .map(Privilege::place)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Place.class)))) {
      List<String> privileges = privileges(place);
      AuthorizationRole role = roles.get(role(place));
      if (role == null) {
        var _ = client.call(manager, new Methods.AddAuthorizationRole(role(place), privileges));
        changes.add("role %s made".formatted(role(place)));
      } else if (!own(role).equals(Set.copyOf(privileges))) {
        client.run(
            manager, new Methods.UpdateAuthorizationRole(role.roleId(), role(place), privileges));
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

  private void give(Grant grant, int role, String principal, String user) {
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
