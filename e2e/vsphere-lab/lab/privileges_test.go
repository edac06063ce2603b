package lab

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dev.berth/e2e/vsphere-lab/behavior"
)

func TestUsersDoWhatTheirRolesAllow(t *testing.T) {
	admin := start(t, licensed)
	vm := admin.create("vm", nil)
	if err := admin.lab.AddUser("ops", "secret"); err != nil {
		t.Fatal(err)
	}
	ops := *admin
	ops.session = ""
	session, _ := ops.call("SessionManager/SessionManager", "Login", object{"userName": "ops", "password": "secret"}).(object)
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
	answer := ops.call("AuthorizationManager/AuthorizationManager", "HasPrivilegeOnEntities", object{"entity": []object{reference(vm)},
		"sessionId": session["key"], "privId": []string{"VirtualMachine.Interact.PowerOn", "VirtualMachine.Interact.PowerOff"}})
	if text := fmt.Sprint(answer); !strings.Contains(text, "isGranted:true privId:VirtualMachine.Interact.PowerOn]") ||
		!strings.Contains(text, "isGranted:false privId:VirtualMachine.Interact.PowerOff]") {
		t.Errorf("the user is told to have %s", text)
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

func TestLicencesAreSeenAsTheyAre(t *testing.T) {
	for licence, want := range map[bool]bool{true: true, false: false} {
		admin := start(t, behavior.Options{SerialLicence: licence})
		host := admin.find("/DC0/host/DC0_C0/DC0_C0_H0")
		answer := admin.call("LicenseAssignmentManager/LicenseAssignmentManager", "QueryAssignedLicenses",
			object{"entityId": strings.TrimPrefix(host, "HostSystem/")})
		if got := strings.Contains(fmt.Sprint(answer), "serialuri:2"); got != want {
			t.Errorf("with the licence %t: %v", licence, answer)
		}
	}
}
