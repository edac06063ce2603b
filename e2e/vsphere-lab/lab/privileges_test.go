package lab

import (
	"net/http"
	"testing"
)

func TestUsersDoWhatTheirRolesAllow(t *testing.T) {
	admin := start(t, licensed)
	vm := admin.create("vm", nil)
	if err := admin.lab.AddUser("ops", "secret"); err != nil {
		t.Fatal(err)
	}
	ops := *admin
	ops.session = ""
	ops.call("SessionManager/SessionManager", "Login", object{"userName": "ops", "password": "secret"})
	_, fault := ops.try(vm, "PowerOnVM_Task", nil)
	if fault["_typeName"] != "NoPermission" || fault["privilegeId"] != "VirtualMachine.Interact.PowerOn" || target(fault["object"]) != vm {
		t.Errorf("without a role: %v", fault)
	}
	admin.call("AuthorizationManager/AuthorizationManager", "AddAuthorizationRole", object{"name": "first", "privIds": []string{"Folder.Create"}})
	role := admin.call("AuthorizationManager/AuthorizationManager", "AddAuthorizationRole", object{"name": "operator", "privIds": []string{"VirtualMachine.Interact.PowerOn"}})
	admin.call("AuthorizationManager/AuthorizationManager", "SetEntityPermissions", object{"entity": reference(admin.find("/DC0")), "permission": []object{
		{"_typeName": "Permission", "principal": "ops", "group": false, "roleId": role, "propagate": true}}})
	if _, fault := ops.task(vm, "PowerOnVM_Task", nil); fault != "" {
		t.Errorf("with the privilege: %s", fault)
	}
	if _, fault := ops.try(vm, "PowerOffVM_Task", nil); fault["privilegeId"] != "VirtualMachine.Interact.PowerOff" {
		t.Errorf("with another privilege: %v", fault)
	}
	if _, fault := ops.try(vm, "MarkAsTemplate", nil); fault["_typeName"] != "NoPermission" {
		t.Errorf("a method whose privilege is not known: %v", fault)
	}
	if status, _ := ops.send(http.MethodPut, "/folder/f?dcPath=DC0&dsName=LocalDS_0", []byte("x")); status != http.StatusForbidden {
		t.Errorf("a file may be written: %d", status)
	}
}
