package privileges

import (
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"dev.berth/e2e/vsphere-lab/dispatch"
)

// demand is a privilege that a call needs on an object.
type demand struct {
	object    ref
	privilege string
}

// What methods need on the object that they are called on.
var plain = map[string]string{
	"PowerOnVM_Task":                  "VirtualMachine.Interact.PowerOn",
	"PowerOffVM_Task":                 "VirtualMachine.Interact.PowerOff",
	"ShutdownGuest":                   "VirtualMachine.Interact.PowerOff",
	"ResetVM_Task":                    "VirtualMachine.Interact.Reset",
	"RebootGuest":                     "VirtualMachine.Interact.Reset",
	"SuspendVM_Task":                  "VirtualMachine.Interact.Suspend",
	"UnregisterVM":                    "VirtualMachine.Inventory.Unregister",
	"CreateResourcePool":              "Resource.CreatePool",
	"UpdateConfig":                    "Resource.EditPool",
	"CreateFolder":                    "Folder.Create",
	"ReconfigureComputeResource_Task": "Host.Inventory.EditCluster",
	"EnterMaintenanceMode_Task":       "Host.Config.Maintenance",
	"ExitMaintenanceMode_Task":        "Host.Config.Maintenance",
	"DisconnectHost_Task":             "Host.Config.Connection",
	"ReconnectHost_Task":              "Host.Config.Connection",
	"AddAuthorizationRole":            "Authorization.ModifyRoles",
	"UpdateAuthorizationRole":         "Authorization.ModifyRoles",
	"RemoveAuthorizationRole":         "Authorization.ModifyRoles",
	"TerminateSession":                "Sessions.TerminateSession",
	"CancelTask":                      "Global.CancelTask",
	"SetField":                        "Global.SetCustomField",
	"AddCustomFieldDef":               "Global.ManageCustomFields",
	"EnableRuleset":                   "Host.Config.NetService",
	"DisableRuleset":                  "Host.Config.NetService",
	"QueryAssignedLicenses":           "Global.Licenses",
}

// Methods of one kind of object each that everyone who can log in may call.
var open = []string{
	"Retrieve", "Query", "Find", "Fetch", "WaitFor", "CheckFor", "Continue", "CancelWait", "CancelRetrieve", "CreateFilter", "CreatePropertyCollector",
	"CreateContainerView", "CreateListView", "ModifyListView", "ResetListView", "CreateCollector", "Read", "Rewind", "ResetCollector", "SetCollector",
	"DestroyPropertyFilter", "DestroyPropertyCollector", "DestroyView", "DestroyCollector", "Login", "Logout", "CurrentTime", "SessionIsActive",
	"AcquireGenericServiceTicket", "HasPrivilege", "HasUserPrivilege", "CloneSession", "AcquireCloneTicket",
}

var destroying = map[string]string{
	"VirtualMachine": "VirtualMachine.Inventory.Delete",
	"ResourcePool":   "Resource.DeletePool",
	"Folder":         "Folder.Delete",
}

var renaming = map[string]string{
	"VirtualMachine": "VirtualMachine.Config.Rename",
	"ResourcePool":   "Resource.RenamePool",
	"Folder":         "Folder.Rename",
}

// demandsOf gives what a call needs. A method that is not known here needs a privilege that no role has.
func demandsOf(call *dispatch.Call) []demand {
	ctx := call.Context
	if privilege, ok := plain[call.Method]; ok {
		return []demand{{call.This, privilege}}
	}
	switch body := call.Body.(type) {
	case *types.SetEntityPermissions:
		return []demand{{body.Entity, "Authorization.ModifyPermissions"}}
	case *types.RemoveEntityPermission:
		return []demand{{body.Entity, "Authorization.ModifyPermissions"}}
	case *types.CreateVM_Task:
		return append([]demand{{call.This, "VirtualMachine.Inventory.Create"}, {body.Pool, "Resource.AssignVMToPool"}}, configuring(ctx, call.This, &body.Config)...)
	case *types.ReconfigVM_Task:
		return configuring(ctx, call.This, &body.Spec)
	case *types.Destroy_Task:
		return []demand{{call.This, destroying[call.This.Type]}}
	case *types.Rename_Task:
		return []demand{{call.This, renaming[call.This.Type]}}
	case *types.PowerOnMultiVM_Task:
		var all []demand
		for _, vm := range body.Vm {
			all = append(all, demand{vm, "VirtualMachine.Interact.PowerOn"})
		}
		return all
	case *types.SearchDatastore_Task:
		return onDatastore(ctx, body.DatastorePath, "Datastore.Browse")
	case *types.SearchDatastoreSubFolders_Task:
		return onDatastore(ctx, body.DatastorePath, "Datastore.Browse")
	case *types.MigrateVM_Task:
		return moving(ctx, call.This, body.Pool)
	case *types.RelocateVM_Task:
		return moving(ctx, call.This, body.Spec.Pool)
	}
	if files := filesOf(call.Body); files != nil {
		return onDatastores(ctx, files)
	}
	for _, prefix := range open {
		if strings.HasPrefix(call.Method, prefix) {
			return nil
		}
	}
	return []demand{{call.This, "Lab.Unknown." + call.Method}}
}

func moving(ctx *simulator.Context, vm ref, pool *ref) []demand {
	privilege := "Resource.ColdMigrate"
	if machine, ok := ctx.Map.Get(vm).(*simulator.VirtualMachine); ok {
		ctx.WithLock(machine, func() {
			if machine.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
				privilege = "Resource.HotMigrate"
			}
		})
	}
	all := []demand{{vm, privilege}}
	if pool != nil {
		all = append(all, demand{*pool, "Resource.AssignVMToPool"})
	}
	return all
}

// configuring gives what a configuration needs, on the VM or the folder that it is to be in, and on datastores and networks.
func configuring(ctx *simulator.Context, target ref, spec *types.VirtualMachineConfigSpec) []demand {
	var all []demand
	need := func(when bool, privilege string) {
		if when {
			all = append(all, demand{target, privilege})
		}
	}
	existing := target.Type == "VirtualMachine"
	need(existing && spec.Name != "", "VirtualMachine.Config.Rename")
	need(existing && spec.NumCPUs != 0, "VirtualMachine.Config.CPUCount")
	need(existing && spec.MemoryMB != 0, "VirtualMachine.Config.Memory")
	need(existing && (spec.CpuAllocation != nil || spec.MemoryAllocation != nil), "VirtualMachine.Config.Resource")
	need(existing && spec.Annotation != "", "VirtualMachine.Config.Annotation")
	need(len(spec.ExtraConfig) > 0, "VirtualMachine.Config.AdvancedConfig")
	if spec.Files != nil && spec.Files.VmPathName != "" {
		all = append(all, onDatastore(ctx, spec.Files.VmPathName, "Datastore.AllocateSpace")...)
	}
	for _, item := range spec.DeviceChange {
		change := item.GetVirtualDeviceConfigSpec()
		_, disk := change.Device.(*types.VirtualDisk)
		adding := change.Operation == types.VirtualDeviceConfigSpecOperationAdd
		switch {
		case disk && adding && change.FileOperation != "":
			need(true, "VirtualMachine.Config.AddNewDisk")
		case disk && adding:
			need(true, "VirtualMachine.Config.AddExistingDisk")
		case disk && change.Operation == types.VirtualDeviceConfigSpecOperationRemove:
			need(true, "VirtualMachine.Config.RemoveDisk")
		case change.Operation == types.VirtualDeviceConfigSpecOperationEdit:
			need(true, "VirtualMachine.Config.EditDevice")
		default:
			need(true, "VirtualMachine.Config.AddRemoveDevice")
		}
		if change.Device == nil {
			continue
		}
		switch backing := change.Device.GetVirtualDevice().Backing.(type) {
		case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
			all = append(all, demand{ref{Type: "DistributedVirtualPortgroup", Value: backing.Port.PortgroupKey}, "Network.Assign"})
		case *types.VirtualEthernetCardNetworkBackingInfo:
			if backing.Network != nil {
				all = append(all, demand{*backing.Network, "Network.Assign"})
			}
		}
	}
	return all
}

// filesOf gives the datastore paths that a method writes, or nil.
func filesOf(body any) []string {
	switch body := body.(type) {
	case *types.MakeDirectory:
		return []string{body.Name}
	case *types.DeleteDatastoreFile_Task:
		return []string{body.Name}
	case *types.MoveDatastoreFile_Task:
		return []string{body.SourceName, body.DestinationName}
	case *types.CopyDatastoreFile_Task:
		return []string{body.SourceName, body.DestinationName}
	case *types.CreateVirtualDisk_Task:
		return []string{body.Name}
	case *types.CopyVirtualDisk_Task:
		return []string{body.SourceName, body.DestName}
	case *types.DeleteVirtualDisk_Task:
		return []string{body.Name}
	case *types.MoveVirtualDisk_Task:
		return []string{body.SourceName, body.DestName}
	case *types.SetVirtualDiskUuid:
		return []string{body.Name}
	case *types.ExtendVirtualDisk_Task:
		return []string{body.Name}
	}
	return nil
}

func onDatastores(ctx *simulator.Context, paths []string) []demand {
	var all []demand
	for _, path := range paths {
		all = append(all, onDatastore(ctx, path, "Datastore.FileManagement")...)
	}
	return all
}

func onDatastore(ctx *simulator.Context, text, privilege string) []demand {
	var path object.DatastorePath
	if !path.FromString(text) {
		return nil // it will be refused as such
	}
	var all []demand
	for _, entity := range ctx.Map.All("Datastore") {
		if datastore, ok := entity.(*simulator.Datastore); ok && datastore.Name == path.Datastore {
			all = append(all, demand{datastore.Self, privilege})
		}
	}
	return all
}
