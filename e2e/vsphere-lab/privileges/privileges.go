// Package privileges lets users do what their roles allow: by the permission that is nearest to an object among itself and
// those above it.
package privileges

import (
	"errors"
	"slices"
	"strings"
	"sync"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

type ref = types.ManagedObjectReference

// Users that can log in. The administrator may do everything; the others what permissions on objects say.
type Users struct {
	administrator string

	mu        sync.Mutex
	passwords map[string]string
}

// NewUsers has the administrator alone.
func NewUsers(administrator, password string) *Users {
	return &Users{administrator: administrator, passwords: map[string]string{administrator: password}}
}

// Add lets one more user log in, who may do nothing yet.
func (u *Users) Add(name, password string) error {
	if name == "" || password == "" || name == u.administrator {
		return errors.New("a user has a name that is not the administrator's, and a password")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.passwords[name] = password
	return nil
}

// Valid checks a login.
func (u *Users) Valid(login *types.Login) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	password, ok := u.passwords[login.UserName]
	return ok && login.Password == password
}

// Layer refuses calls for which the user lacks a privilege, and names it and the object.
func (u *Users) Layer(call *dispatch.Call, next dispatch.Handler) soap.HasFault {
	switch body := call.Body.(type) {
	case *types.HasPrivilegeOnEntities:
		return u.hasPrivileges(call, body)
	}
	if refusal := u.refusal(call); refusal != nil {
		return refusal
	}
	if body, ok := call.Body.(*types.SetEntityPermissions); ok {
		if refusal := u.merge(call, body); refusal != nil {
			return refusal
		}
	}
	return numbered(call, next(call))
}

// refusal of a call for which the user lacks a privilege; nil when it lacks none.
func (u *Users) refusal(call *dispatch.Call) soap.HasFault {
	if call.Context.Session == nil || call.Context.Session.UserName == u.administrator {
		return nil
	}
	for _, d := range demandsOf(call) {
		if !u.Allowed(call.Context, call.Context.Session.UserName, d.object, d.privilege) {
			return dispatch.Refuse(&types.NoPermission{Object: &d.object, PrivilegeId: d.privilege},
				"Permission to perform this operation was denied. %s lacks %s on %s:%s.", call.Context.Session.UserName, d.privilege, d.object.Type, d.object.Value)
		}
	}
	return nil
}

// merge adds to the permissions that are to be set those of others, which the simulator would drop, and refuses users that there are not.
func (u *Users) merge(call *dispatch.Call, body *types.SetEntityPermissions) soap.HasFault {
	for _, permission := range body.Permission {
		if !permission.Group && !u.known(permission.Principal) {
			return dispatch.Refuse(&types.UserNotFound{Principal: permission.Principal, Unresolved: true},
				"The user or group named '%s' does not exist.", permission.Principal)
		}
	}
	manager, ok := call.Context.Map.Get(call.This).(*simulator.AuthorizationManager)
	if !ok {
		return nil
	}
	for _, permission := range permissionsOn(call.Context, manager, body.Entity) {
		set := slices.ContainsFunc(body.Permission, func(new types.Permission) bool {
			return principal(new.Principal) == principal(permission.Principal) && new.Group == permission.Group
		})
		if !set {
			body.Permission = append(body.Permission, permission)
		}
	}
	return nil
}

func (u *Users) known(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for user := range u.passwords {
		if principal(user) == principal(name) {
			return true
		}
	}
	return false
}

// principal gives user@domain as permissions name it: DOMAIN\user.
func principal(name string) string {
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return name
	}
	return strings.ToUpper(name[at+1:]) + `\` + name[:at]
}

// hasPrivileges tells what the user of a session may do; the simulator's answer is that everyone may do everything.
func (u *Users) hasPrivileges(call *dispatch.Call, body *types.HasPrivilegeOnEntities) soap.HasFault {
	user, ok := userOf(call.Context, body.SessionId)
	if !ok {
		return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "sessionId"}, "A specified parameter was not correct: sessionId")
	}
	var all []types.EntityPrivilege
	for _, entity := range body.Entity {
		if call.Context.Map.Get(entity) == nil {
			return dispatch.Refuse(&types.ManagedObjectNotFound{Obj: entity}, "The object '%s:%s' has already been deleted", entity.Type, entity.Value)
		}
		on := types.EntityPrivilege{Entity: entity}
		for _, id := range body.PrivId {
			on.PrivAvailability = append(on.PrivAvailability,
				types.PrivilegeAvailability{PrivId: id, IsGranted: u.Allowed(call.Context, user, entity, id)})
		}
		all = append(all, on)
	}
	return &methods.HasPrivilegeOnEntitiesBody{Res: &types.HasPrivilegeOnEntitiesResponse{Returnval: all}}
}

func userOf(ctx *simulator.Context, session string) (string, bool) {
	manager, ok := ctx.Session.Get(ctx.Map.SessionManager().Self).(*simulator.SessionManager)
	if !ok {
		return "", false
	}
	for _, each := range manager.SessionList {
		if each.Key == session {
			return each.UserName, true
		}
	}
	return "", false
}

// numbered gives the answer to AddAuthorizationRole the number of the new role, which the simulator leaves out.
func numbered(call *dispatch.Call, response soap.HasFault) soap.HasFault {
	added, ok := response.(*methods.AddAuthorizationRoleBody)
	manager, isManager := call.Context.Map.Get(call.This).(*simulator.AuthorizationManager)
	if !ok || !isManager || added.Res == nil {
		return response
	}
	request, _ := call.Body.(*types.AddAuthorizationRole)
	call.Context.WithLock(manager, func() {
		for _, role := range manager.RoleList {
			if role.Name == request.Name {
				added.Res.Returnval = role.RoleId
			}
		}
	})
	return response
}

// Allowed tells whether a user has a privilege on an object.
func (u *Users) Allowed(ctx *simulator.Context, user string, object ref, privilege string) bool {
	if user == u.administrator {
		return true
	}
	service, ok := ctx.Map.Get(ref{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance)
	if !ok || service.Content.AuthorizationManager == nil {
		return false
	}
	manager, ok := ctx.Map.Get(*service.Content.AuthorizationManager).(*simulator.AuthorizationManager)
	if !ok {
		return false
	}
	entity, ok := ctx.Map.Get(object).(mo.Entity)
	if !ok { // a manager is the vCenter's own
		entity, ok = ctx.Map.Get(service.Content.RootFolder).(mo.Entity)
	}
	for own := true; ok && entity != nil; own = false {
		if permission, found := permissionOn(ctx, manager, entity.Reference(), user); found && (own || permission.Propagate) {
			return grants(ctx, manager, permission.RoleId, privilege)
		}
		parent := entity.Entity().Parent
		if parent == nil {
			return false
		}
		entity, ok = ctx.Map.Get(*parent).(mo.Entity)
	}
	return false
}

func permissionOn(ctx *simulator.Context, manager *simulator.AuthorizationManager, entity ref, user string) (types.Permission, bool) {
	for _, permission := range permissionsOn(ctx, manager, entity) {
		if principal(permission.Principal) == principal(user) && !permission.Group {
			return permission, true
		}
	}
	return types.Permission{}, false
}

func permissionsOn(ctx *simulator.Context, manager *simulator.AuthorizationManager, entity ref) []types.Permission {
	var all []types.Permission
	ctx.WithLock(manager, func() {
		response := manager.RetrieveEntityPermissions(ctx, &types.RetrieveEntityPermissions{Entity: entity})
		if body, ok := response.(*methods.RetrieveEntityPermissionsBody); ok && body.Res != nil {
			all = slices.Clone(body.Res.Returnval)
		}
	})
	return all
}

func grants(ctx *simulator.Context, manager *simulator.AuthorizationManager, role int32, privilege string) bool {
	granted := false
	ctx.WithLock(manager, func() {
		for _, r := range manager.RoleList {
			granted = granted || r.RoleId == role && slices.Contains(r.Privilege, privilege)
		}
	})
	return granted
}
