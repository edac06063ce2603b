package dev.berth.portlayer.vsphere.vim;

import dev.berth.portlayer.vsphere.vim.Administration.EntityPrivilege;
import dev.berth.portlayer.vsphere.vim.Administration.LicenseAssignmentManagerLicenseAssignment;
import dev.berth.portlayer.vsphere.vim.Administration.Permission;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterConfigSpecEx;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.RetrieveOptions;
import dev.berth.portlayer.vsphere.vim.Collector.RetrieveResult;
import dev.berth.portlayer.vsphere.vim.Collector.UpdateSet;
import dev.berth.portlayer.vsphere.vim.Collector.WaitOptions;
import dev.berth.portlayer.vsphere.vim.Events.Event;
import dev.berth.portlayer.vsphere.vim.Events.EventFilterSpec;
import dev.berth.portlayer.vsphere.vim.Service.HostDatastoreBrowserSearchSpec;
import dev.berth.portlayer.vsphere.vim.Service.UserSession;
import dev.berth.portlayer.vsphere.vim.VmSpecs.FileBackedVirtualDiskSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.ResourceConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The methods that Berth calls. */
public final class Methods {
  private Methods() {}

  /** A method that starts a task and returns the reference to it. */
  public interface TaskRequest extends Request<ManagedObjectReference> {}

  /**
   * Of the SessionManager.
   *
   * @param password the caller's to wipe
   */
  @Call(value = "Login", repeatable = true)
  @SuppressWarnings("ArrayRecordComponent") // A String could not be wiped.
  public record Login(String userName, char[] password) implements Request<UserSession> {
    @Override
    public String toString() {
      return "Login[userName=" + userName + "]";
    }
  }

  /** Of the SessionManager. */
  @Call("Logout")
  public record Logout() implements Request<Void> {}

  /** Of a PropertyCollector: one of the caller's own. */
  @Call("CreatePropertyCollector")
  public record CreatePropertyCollector() implements Request<ManagedObjectReference> {}

  /** Of a PropertyCollector. */
  @Call("DestroyPropertyCollector")
  public record DestroyPropertyCollector() implements Request<Void> {}

  /**
   * Of a PropertyCollector.
   *
   * @param partialUpdates whether a change tells the part of the property that changed only
   */
  @Call("CreateFilter")
  public record CreateFilter(PropertyFilterSpec spec, boolean partialUpdates)
      implements Request<ManagedObjectReference> {}

  /** Of a PropertyFilter. */
  @Call("DestroyPropertyFilter")
  public record DestroyPropertyFilter() implements Request<Void> {}

  /** Of a PropertyCollector; returns nothing when there is nothing new in time. */
  @Call("WaitForUpdatesEx")
  public record WaitForUpdatesEx(String version, WaitOptions options)
      implements Request<UpdateSet> {}

  /** Of the ViewManager: a list of objects for a filter to follow. */
  @Call("CreateListView")
  public record CreateListView(List<ManagedObjectReference> obj)
      implements Request<ManagedObjectReference> {}

  /** Of a ListView; returns what of {@code add} does not exist. */
  @Call(value = "ModifyListView", repeatable = true)
  public record ModifyListView(
      List<ManagedObjectReference> add, List<ManagedObjectReference> remove)
      implements Request<List<ManagedObjectReference>> {}

  /**
   * Of the ViewManager: everything of some types in a container, which a collector can go through.
   * It ends with the session at the latest.
   */
  @Call(value = "CreateContainerView", repeatable = true)
  public record CreateContainerView(
      ManagedObjectReference container, List<String> type, boolean recursive)
      implements Request<ManagedObjectReference> {}

  /** Of a view. */
  @Call("DestroyView")
  public record DestroyView() implements Request<Void> {}

  /**
   * Of the AuthorizationManager.
   *
   * @param sessionId the key of a session, for whose user it is asked
   */
  @Call(value = "HasPrivilegeOnEntities", repeatable = true)
  public record HasPrivilegeOnEntities(
      List<ManagedObjectReference> entity, String sessionId, List<String> privId)
      implements Request<List<EntityPrivilege>> {}

  /** Of the AuthorizationManager. vCenter adds the privileges to look. */
  @Call("AddAuthorizationRole")
  public record AddAuthorizationRole(String name, List<String> privIds)
      implements Request<Integer> {}

  /** Of the AuthorizationManager. */
  @Call(value = "UpdateAuthorizationRole", repeatable = true)
  public record UpdateAuthorizationRole(int roleId, String newName, List<String> privIds)
      implements Request<Void> {}

  /**
   * Of the AuthorizationManager.
   *
   * @param inherited whether also those of what the object is in
   */
  @Call(value = "RetrieveEntityPermissions", repeatable = true)
  public record RetrieveEntityPermissions(ManagedObjectReference entity, boolean inherited)
      implements Request<List<Permission>> {}

  /** Of the AuthorizationManager. Permissions of other users and groups stay. */
  @Call(value = "SetEntityPermissions", repeatable = true)
  public record SetEntityPermissions(ManagedObjectReference entity, List<Permission> permission)
      implements Request<Void> {}

  /**
   * Of the LicenseAssignmentManager.
   *
   * @param entityId the identifier of a host or a cluster
   */
  @Call(value = "QueryAssignedLicenses", repeatable = true)
  public record QueryAssignedLicenses(String entityId)
      implements Request<List<LicenseAssignmentManagerLicenseAssignment>> {}

  /** Of a PropertyCollector. */
  @Call(value = "RetrievePropertiesEx", repeatable = true)
  public record RetrievePropertiesEx(List<PropertyFilterSpec> specSet, RetrieveOptions options)
      implements Request<RetrieveResult> {}

  /** Of a PropertyCollector. */
  @Call("ContinueRetrievePropertiesEx")
  public record ContinueRetrievePropertiesEx(String token) implements Request<RetrieveResult> {}

  /** Of the SearchIndex; returns nothing when there is no such object. */
  @Call(value = "FindByInventoryPath", repeatable = true)
  public record FindByInventoryPath(String inventoryPath)
      implements Request<ManagedObjectReference> {}

  /** Of the SearchIndex; returns nothing when there is no such object in the folder. */
  @Call(value = "FindChild", repeatable = true)
  public record FindChild(ManagedObjectReference entity, String name)
      implements Request<ManagedObjectReference> {}

  /** Of a Folder. */
  @Call("CreateFolder")
  public record CreateFolder(String name) implements Request<ManagedObjectReference> {}

  /** Of a Folder. */
  @Call("CreateVM_Task")
  public record CreateVm(
      VirtualMachineConfigSpec config,
      ManagedObjectReference pool,
      @Nullable ManagedObjectReference host)
      implements TaskRequest {}

  /** Of a Datacenter: DRS places all of them together. */
  @Call("PowerOnMultiVM_Task")
  public record PowerOnMultiVm(List<ManagedObjectReference> vm, List<OptionValue> option)
      implements TaskRequest {}

  /** Of a VirtualMachine. */
  @Call("PowerOnVM_Task")
  public record PowerOnVm(@Nullable ManagedObjectReference host) implements TaskRequest {}

  /** Of a VirtualMachine. */
  @Call("PowerOffVM_Task")
  public record PowerOffVm() implements TaskRequest {}

  /** Of a VirtualMachine. */
  @Call("ReconfigVM_Task")
  public record ReconfigVm(VirtualMachineConfigSpec spec) implements TaskRequest {}

  /** Of any managed entity: with all that it holds, a VM with its files. */
  @Call("Destroy_Task")
  public record Destroy() implements TaskRequest {}

  /** Of a VirtualMachine: its files stay. Done twice, the second time finds none. */
  @Call(value = "UnregisterVM", repeatable = true)
  public record UnregisterVm() implements Request<Void> {}

  /** Of a ResourcePool. */
  @Call("CreateResourcePool")
  public record CreateResourcePool(String name, ResourceConfigSpec spec)
      implements Request<ManagedObjectReference> {}

  /** Of a ResourcePool. */
  @Call(value = "UpdateConfig", repeatable = true)
  public record UpdateConfig(@Nullable String name, @Nullable ResourceConfigSpec config)
      implements Request<Void> {}

  /**
   * Of a cluster.
   *
   * @param modify whether the specification is a change, and not the whole
   */
  @Call("ReconfigureComputeResource_Task")
  public record ReconfigureComputeResource(ClusterConfigSpecEx spec, boolean modify)
      implements TaskRequest {}

  /** Of the FileManager. */
  @Call("MakeDirectory")
  public record MakeDirectory(
      String name, ManagedObjectReference datacenter, boolean createParentDirectories)
      implements Request<Void> {}

  /**
   * Of the FileManager: a file, or a folder with all that is in it. Done twice, the second time
   * finds none.
   */
  @Call(value = "DeleteDatastoreFile_Task", repeatable = true)
  public record DeleteDatastoreFile(String name, ManagedObjectReference datacenter)
      implements TaskRequest {}

  /** Of the FileManager. */
  @Call("MoveDatastoreFile_Task")
  public record MoveDatastoreFile(
      String sourceName,
      ManagedObjectReference sourceDatacenter,
      String destinationName,
      ManagedObjectReference destinationDatacenter,
      boolean force)
      implements TaskRequest {}

  /** Of the VirtualDiskManager. */
  @Call("CreateVirtualDisk_Task")
  public record CreateVirtualDisk(
      String name, ManagedObjectReference datacenter, FileBackedVirtualDiskSpec spec)
      implements TaskRequest {}

  /** Of the VirtualDiskManager. */
  @Call("CopyVirtualDisk_Task")
  public record CopyVirtualDisk(
      String sourceName,
      ManagedObjectReference sourceDatacenter,
      String destName,
      ManagedObjectReference destDatacenter)
      implements TaskRequest {}

  /**
   * Of the VirtualDiskManager.
   *
   * @param eagerZero whether zeros are written at once, and not read where nothing was written
   */
  @Call("ExtendVirtualDisk_Task")
  public record ExtendVirtualDisk(
      String name, ManagedObjectReference datacenter, long newCapacityKb, boolean eagerZero)
      implements TaskRequest {}

  /**
   * Of the VirtualDiskManager.
   *
   * @param uuid 16 bytes as {@code 60 00 C2 9a 00 00 00 00-00 00 00 00 00 00 00 00}
   */
  @Call(value = "SetVirtualDiskUuid", repeatable = true)
  public record SetVirtualDiskUuid(String name, ManagedObjectReference datacenter, String uuid)
      implements Request<Void> {}

  /** Of the VirtualDiskManager. */
  @Call("DeleteVirtualDisk_Task")
  public record DeleteVirtualDisk(String name, ManagedObjectReference datacenter)
      implements TaskRequest {}

  /** Of a HostDatastoreBrowser: one folder. */
  @Call("SearchDatastore_Task")
  public record SearchDatastore(String datastorePath, HostDatastoreBrowserSearchSpec searchSpec)
      implements TaskRequest {}

  /** Of the ServiceInstance. */
  @Call(value = "CurrentTime", repeatable = true)
  public record CurrentTime() implements Request<Instant> {}

  /**
   * Of the EventManager: makes an EventHistoryCollector, which lives no longer than the session.
   */
  @Call("CreateCollectorForEvents")
  public record CreateCollectorForEvents(EventFilterSpec filter)
      implements Request<ManagedObjectReference> {}

  /** Of a HistoryCollector: how many items its latest page has. */
  @Call(value = "SetCollectorPageSize", repeatable = true)
  public record SetCollectorPageSize(int maxCount) implements Request<Void> {}

  /**
   * Of an EventHistoryCollector: the next newer ones, which are not told again; none at the end.
   */
  @Call("ReadNextEvents")
  public record ReadNextEvents(int maxCount) implements Request<List<Event>> {}

  /** Of a HistoryCollector. */
  @Call(value = "DestroyCollector", repeatable = true)
  public record DestroyCollector() implements Request<Void> {}

  /** Of a HistoryCollector: the next to be read is the oldest again. */
  @Call(value = "RewindCollector", repeatable = true)
  public record RewindCollector() implements Request<Void> {}
}
