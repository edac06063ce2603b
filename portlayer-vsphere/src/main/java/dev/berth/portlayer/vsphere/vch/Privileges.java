package dev.berth.portlayer.vsphere.vch;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The privileges that Berth needs at vCenter: these, and none else. */
public final class Privileges {
  private Privileges() {}

  /** Who needs one. */
  public enum User {
    /** Makes, changes and removes VCHs: {@code berth vch}. */
    ADMINISTRATOR,
    /** Runs containerVMs in one: {@code berth kubelet}. */
    OPERATIONS
  }

  /** On which object a privilege is needed; a permission there has to propagate. */
  public enum Place {
    VCENTER("the vCenter itself"),
    VM_FOLDER("the datacenter's VM folder; for operations, the VCH's in it is enough"),
    POOL("the parent resource pool; for operations, the VCH's in it is enough"),
    CLUSTER("the cluster or host"),
    DATASTORE("the datastore"),
    NETWORK("each port group, the control network's too");

    private final String description;

    Place(String description) {
      this.description = description;
    }

    public String description() {
      return description;
    }
  }

  /** What cannot be done without a privilege. */
  public enum Use {
    /** {@code berth vch create}, and {@code delete}. */
    CREATION,
    /** {@code berth vch delete --force}. */
    FORCED_DELETION,
    /** {@code berth vch grant}. */
    GRANT,
    /** {@code berth kubelet}. */
    OPERATION,
    /** Nothing: something is told that would else go unseen. */
    NOTICE
  }

  /**
   * One privilege.
   *
   * @param id as vCenter's API has it
   * @param purpose for people
   */
  public record Privilege(User user, Place place, String id, String purpose, Use use) {}

  private static final List<Privilege> ALL =
      Stream.of(
              creating(Place.VM_FOLDER, "Folder.Create", "makes the VCH's folder of VMs"),
              creating(Place.VM_FOLDER, "Folder.Delete", "removes it"),
              creating(Place.POOL, "Resource.CreatePool", "makes the VCH's resource pool"),
              creating(Place.POOL, "Resource.DeletePool", "removes it"),
              creating(Place.POOL, "Resource.EditPool", "changes its limits"),
              creating(Place.DATASTORE, "Datastore.Browse", "reads the record"),
              creating(
                  Place.DATASTORE,
                  "Datastore.FileManagement",
                  "makes the folder, writes the record, uploads the bootstrap image"),
              administrator(
                  Place.VCENTER,
                  "Global.Licenses",
                  "sees whether hosts lack a licence; optional",
                  Use.NOTICE),
              forced(
                  Place.VM_FOLDER, "VirtualMachine.Interact.PowerOff", "delete --force ends VMs"),
              forced(
                  Place.VM_FOLDER,
                  "VirtualMachine.Inventory.Unregister",
                  "delete --force removes VMs"),
              forced(
                  Place.CLUSTER,
                  "Host.Inventory.EditCluster",
                  "delete --force removes their rules"),
              administrator(
                  Place.VCENTER,
                  "Authorization.ModifyRoles",
                  "grant makes the operations user's roles",
                  Use.GRANT),
              granting(Place.VCENTER),
              granting(Place.VM_FOLDER),
              granting(Place.POOL),
              granting(Place.CLUSTER),
              granting(Place.DATASTORE),
              granting(Place.NETWORK),
              operations(
                  Place.VM_FOLDER, "VirtualMachine.Inventory.Create", "creates containerVMs"),
              operations(
                  Place.VM_FOLDER, "VirtualMachine.Inventory.Unregister", "removes containerVMs"),
              operations(
                  Place.VM_FOLDER,
                  "VirtualMachine.Config.AddExistingDisk",
                  "gives them their disks"),
              operations(
                  Place.VM_FOLDER,
                  "VirtualMachine.Config.AddRemoveDevice",
                  "gives them interfaces, serial ports and the bootstrap image"),
              operations(
                  Place.VM_FOLDER,
                  "VirtualMachine.Config.AdvancedConfig",
                  "keeps their record and gives them their configuration"),
              operations(Place.VM_FOLDER, "VirtualMachine.Interact.PowerOn", "starts them"),
              operations(Place.VM_FOLDER, "VirtualMachine.Interact.PowerOff", "ends them"),
              operations(Place.POOL, "Resource.AssignVMToPool", "creates them in the VCH's pool"),
              operations(
                  Place.CLUSTER,
                  "Host.Inventory.EditCluster",
                  "keeps a pod's VMs together and binds tenants to host groups"),
              operations(Place.DATASTORE, "Datastore.AllocateSpace", "gives VMs their folders"),
              operations(Place.DATASTORE, "Datastore.Browse", "finds disks, reads logs"),
              operations(
                  Place.DATASTORE, "Datastore.FileManagement", "uploads, copies, removes disks"),
              operations(Place.NETWORK, "Network.Assign", "connects containerVMs"))
          .toList();

  private static Privilege creating(Place place, String id, String purpose) {
    return administrator(place, id, purpose, Use.CREATION);
  }

  private static Privilege forced(Place place, String id, String purpose) {
    return administrator(place, id, purpose, Use.FORCED_DELETION);
  }

  private static Privilege granting(Place place) {
    return administrator(
        place, "Authorization.ModifyPermissions", "grant gives them to it", Use.GRANT);
  }

  private static Privilege administrator(Place place, String id, String purpose, Use use) {
    return new Privilege(User.ADMINISTRATOR, place, id, purpose, use);
  }

  private static Privilege operations(Place place, String id, String purpose) {
    return new Privilege(User.OPERATIONS, place, id, purpose, Use.OPERATION);
  }

  /** Those of a user, by object. */
  public static List<Privilege> of(User user) {
    return ALL.stream()
        .filter(privilege -> privilege.user() == user)
        .sorted((a, b) -> a.place().compareTo(b.place()))
        .toList();
  }

  /** The identifiers of those of a user on an object. */
  public static List<String> of(User user, Place... places) {
    return of(user).stream()
        .filter(privilege -> Arrays.asList(places).contains(privilege.place()))
        .map(Privilege::id)
        .toList();
  }
}
