package dispatch

import (
	"slices"

	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// What may be asked without a session, as of a real vCenter.
var open = []string{
	"Login", "LoginByToken", "LoginExtensionByCertificate", "LoginBySSPI", "CloneSession",
	"RetrieveServiceContent", "RetrieveInternalContent", "CurrentTime",
}

// Session is the layer that demands one. The service instance's own properties can be read without.
func Session(call *Call, next Handler) soap.HasFault {
	if call.Context.Session != nil || slices.Contains(open, call.Method) || readsService(call) {
		return next(call)
	}
	return Refuse(&types.NotAuthenticated{NoPermission: types.NoPermission{Object: &call.This, PrivilegeId: "System.View"}},
		"The session is not authenticated.")
}

func readsService(call *Call) bool {
	var specs []types.PropertyFilterSpec
	switch body := call.Body.(type) {
	case *types.RetrieveProperties:
		specs = body.SpecSet
	case *types.RetrievePropertiesEx:
		specs = body.SpecSet
	default:
		return false
	}
	for _, spec := range specs {
		for _, object := range spec.ObjectSet {
			if object.Obj.Type != "ServiceInstance" && object.Obj.Type != "SessionManager" || len(object.SelectSet) > 0 {
				return false
			}
		}
	}
	return len(specs) > 0
}
