package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.vsphere.client.Credentials;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.vim.Administration.Permission;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import java.util.List;
import java.util.UUID;

/** Somebody who may do at the lab's vCenter what he is allowed to, and nothing else. */
public final class LabUser {
  private final TestLab lab;
  private final String name = "user-" + UUID.randomUUID();
  private final Credentials.Password password;

  public LabUser(TestLab lab) {
    this.lab = lab;
    password = lab.user(name);
  }

  public String name() {
    return name;
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
            manager, new Methods.AddAuthorizationRole("role-" + UUID.randomUUID(), privileges));
    administrator.run(
        manager,
        new Methods.SetEntityPermissions(object, List.of(new Permission(name, false, role, true))));
  }
}
