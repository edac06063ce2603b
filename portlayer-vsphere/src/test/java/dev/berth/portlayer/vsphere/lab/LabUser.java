package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.vsphere.client.Credentials;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Request;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import tools.jackson.databind.node.JsonNodeFactory;

/** Somebody who may do at the lab's vCenter what he is allowed to, and nothing else. */
public final class LabUser {
  /** What was allowed to whom: permissions on an object are set together. */
  private static final Map<ManagedObjectReference, Map<String, Integer>> ROLES =
      new LinkedHashMap<>();

  private final TestLab lab;
  private final String name = "user-" + UUID.randomUUID();
  private final Credentials.Password password;

  @Call("AddAuthorizationRole")
  private record AddAuthorizationRole(String name, List<String> privIds)
      implements Request<Integer> {}

  @Call("SetEntityPermissions")
  private record SetEntityPermissions(ManagedObjectReference entity, List<GenericObject> permission)
      implements Request<Void> {}

  public LabUser(TestLab lab) {
    this.lab = lab;
    password = lab.user(name);
  }

  public VimSettings settings() {
    return lab.settings(password);
  }

  /**
   * Allows exactly some privileges on an object, and on what is in it.
   *
   * @param administrator who says so
   */
  public void may(VimClient administrator, ManagedObjectReference object, List<String> privileges) {
    ManagedObjectReference manager = administrator.content().authorizationManager();
    int role =
        administrator.call(
            manager, new AddAuthorizationRole("role-" + UUID.randomUUID(), privileges));
    Map<String, Integer> roles = ROLES.computeIfAbsent(object, key -> new LinkedHashMap<>());
    roles.put(name, role);
    administrator.run(
        manager,
        new SetEntityPermissions(
            object,
            roles.entrySet().stream()
                .map(each -> permission(each.getKey(), each.getValue()))
                .toList()));
  }

  private static GenericObject permission(String user, int role) {
    return new GenericObject(
        JsonNodeFactory.instance
            .objectNode()
            .put("_typeName", "Permission")
            .put("principal", user)
            .put("group", false)
            .put("roleId", role)
            .put("propagate", true));
  }
}
