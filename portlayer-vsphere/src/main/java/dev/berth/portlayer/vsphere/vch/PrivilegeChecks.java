package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vch.Privileges.Place;
import dev.berth.portlayer.vsphere.vch.Privileges.Privilege;
import dev.berth.portlayer.vsphere.vch.Privileges.Use;
import dev.berth.portlayer.vsphere.vch.Privileges.User;
import dev.berth.portlayer.vsphere.vim.Administration.PrivilegeAvailability;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Service.UserSession;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Whether the user may make a VCH. */
final class PrivilegeChecks {
  private final VimClient client;
  private final InventoryTree tree;
  private final Findings findings;

  PrivilegeChecks(VimClient client, InventoryTree tree, Findings findings) {
    this.client = client;
    this.tree = tree;
    this.findings = findings;
  }

  void check(VchPlan plan) {
    Optional<UserSession> session = session(client);
    if (session.isEmpty()) {
      return; // What is missing will be told by the call that needs it.
    }
    Map.of(
            Place.VM_FOLDER, plan.vmFolder(),
            Place.POOL, plan.parent(),
            Place.DATASTORE, plan.datastore().reference())
        .entrySet()
        .stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(place -> check(session.get(), place.getKey(), place.getValue()));
  }

  /** Whose session it is. */
  static Optional<UserSession> session(VimClient client) {
    return client.property(client.content().sessionManager(), "currentSession", UserSession.class);
  }

  private void check(UserSession session, Place place, ManagedObjectReference object) {
    List<String> needed =
        Privileges.of(User.ADMINISTRATOR).stream()
            .filter(privilege -> privilege.use() == Use.CREATION && privilege.place() == place)
            .map(Privilege::id)
            .toList();
    List<String> missing =
        client
            .call(
                client.content().authorizationManager(),
                new Methods.HasPrivilegeOnEntities(List.of(object), session.key(), needed))
            .stream()
            .flatMap(entity -> entity.privAvailability().stream())
            .filter(privilege -> !privilege.isGranted())
            .map(PrivilegeAvailability::privId)
            .toList();
    if (!missing.isEmpty()) {
      findings.problem(
          "vcenter-user",
          "%s lacks %s on %s: give it a role with these there, propagating ('berth vch privileges' lists all)"
              .formatted(
                  session.userName(),
                  String.join(", ", missing),
                  tree.find(object).map(tree::path).orElse(object.toString())));
    }
  }
}
