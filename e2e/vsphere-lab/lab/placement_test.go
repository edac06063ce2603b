package lab

import (
	"fmt"
	"slices"
	"testing"
)

func (c *client) rule(rule object, groups ...object) {
	c.Helper()
	rule["enabled"] = true
	change := object{"_typeName": "ClusterConfigSpecEx", "rulesSpec": []object{{"_typeName": "ClusterRuleSpec", "operation": "add", "info": rule}}}
	var specs []object
	for _, group := range groups {
		specs = append(specs, object{"_typeName": "ClusterGroupSpec", "operation": "add", "info": group})
	}
	if specs != nil {
		change["groupSpec"] = specs
	}
	c.done(c.find("/DC0/host/DC0_C0"), "ReconfigureComputeResource_Task", object{"spec": change, "modify": true})
}

func references(targets ...string) []object {
	var all []object
	for _, target := range targets {
		all = append(all, reference(target))
	}
	return all
}

func (c *client) powerOn(vms ...string) {
	c.Helper()
	result := c.done(c.find("/DC0"), "PowerOnMultiVM_Task", object{"vm": references(vms...)}).(object)
	if failed := result["notAttempted"]; failed != nil {
		c.Fatalf("not powered on: %v", failed)
	}
	for _, vm := range vms {
		c.until(vm+" is on", func() bool { return c.power(vm) == "poweredOn" })
	}
}

func TestGroupsArePlacedTogetherAndApart(t *testing.T) {
	c := start(t, licensed)
	var together, apart []string
	for i := range 3 {
		together = append(together, c.create(fmt.Sprint("together", i), nil))
		apart = append(apart, c.create(fmt.Sprint("apart", i), nil))
	}
	c.rule(object{"_typeName": "ClusterAffinityRuleSpec", "name": "together", "vm": references(together...)})
	c.rule(object{"_typeName": "ClusterAntiAffinityRuleSpec", "name": "apart", "vm": references(apart...)})
	c.powerOn(append(slices.Clone(together), apart...)...)
	hosts := map[string]bool{}
	for i := range 3 {
		if c.host(together[i]) != c.host(together[0]) {
			t.Errorf("%s is alone on %s", together[i], c.host(together[i]))
		}
		hosts[c.host(apart[i])] = true
	}
	if len(hosts) != 3 {
		t.Errorf("what must be apart is on %v", hosts)
	}
}

func TestTenantsKeepToTheirHosts(t *testing.T) {
	c := start(t, licensed)
	vms := []string{c.create("a", nil), c.create("b", nil)}
	own := c.find("/DC0/host/DC0_C0/DC0_C0_H2")
	c.rule(object{"_typeName": "ClusterVmHostRuleInfo", "name": "tenant", "mandatory": true, "vmGroupName": "vms", "affineHostGroupName": "hosts"},
		object{"_typeName": "ClusterVmGroup", "name": "vms", "vm": references(vms...)},
		object{"_typeName": "ClusterHostGroup", "name": "hosts", "host": references(own)})
	c.powerOn(vms...)
	for _, vm := range vms {
		if c.host(vm) != own {
			t.Errorf("%s is on %s", vm, c.host(vm))
		}
	}
	if _, fault := c.task(vms[0], "MigrateVM_Task", object{"host": reference(c.find("/DC0/host/DC0_C0/DC0_C0_H0")), "priority": "defaultPriority"}); fault != "NoCompatibleHost" {
		t.Errorf("a migration against the rule gives %q", fault)
	}
	if _, fault := c.task(own, "EnterMaintenanceMode_Task", object{"timeout": 0}); fault != "NoCompatibleHost" {
		t.Errorf("an evacuation against the rule gives %q", fault)
	}
}

func TestMaintenanceEvacuatesAndFailureRestarts(t *testing.T) {
	c := start(t, licensed)
	var vms []string
	for i := range 6 {
		vms = append(vms, c.create(fmt.Sprint("vm", i), nil))
	}
	c.powerOn(vms...)
	first := c.host(vms[0])
	c.done(first, "EnterMaintenanceMode_Task", object{"timeout": 0})
	for _, vm := range vms {
		if c.host(vm) == first || c.power(vm) != "poweredOn" {
			t.Errorf("%s is %s on %s", vm, c.power(vm), c.host(vm))
		}
	}
	c.done(first, "ExitMaintenanceMode_Task", object{"timeout": 0})
	failed := c.host(vms[1])
	if err := c.lab.FailHost(c.get(failed, "name").(string)); err != nil {
		t.Fatal(err)
	}
	for _, vm := range vms {
		c.until(vm+" is restarted", func() bool { return c.power(vm) == "poweredOn" && c.host(vm) != failed })
	}
	if state := c.get(failed, "runtime").(object)["connectionState"]; state != "notResponding" {
		t.Errorf("the host is %v", state)
	}
}

func TestPoolsAdmitByReservation(t *testing.T) {
	c := start(t, licensed)
	allocation := object{"_typeName": "ResourceAllocationInfo", "reservation": 200, "expandableReservation": false, "limit": -1,
		"shares": object{"_typeName": "SharesInfo", "shares": 0, "level": "normal"}}
	pool := target(c.call(c.find("/DC0/host/DC0_C0/Resources"), "CreateResourcePool", object{"name": "vch", "spec": object{
		"_typeName": "ResourceConfigSpec", "cpuAllocation": allocation, "memoryAllocation": allocation}}))
	reserved := object{"memoryAllocation": object{"_typeName": "ResourceAllocationInfo", "reservation": 128}}
	var vms []string
	for i := range 2 {
		vms = append(vms, target(c.done(c.find("/DC0/vm"), "CreateVM_Task", object{"config": spec(fmt.Sprint("vm", i), reserved), "pool": reference(pool)})))
	}
	c.done(vms[0], "PowerOnVM_Task", nil)
	if _, fault := c.task(vms[1], "PowerOnVM_Task", nil); fault != "InsufficientMemoryResourcesFault" {
		t.Errorf("more than the pool has gives %q", fault)
	}
	c.until("the pool tells what is used", func() bool {
		used, _ := c.get(pool, "runtime").(object)["memory"].(object)["reservationUsedForVm"].(float64)
		return used == 128<<20
	})
	c.done(vms[0], "PowerOffVM_Task", nil)
	c.done(vms[1], "PowerOnVM_Task", nil)
	c.done(vms[1], "RelocateVM_Task", object{"spec": object{"_typeName": "VirtualMachineRelocateSpec", "pool": reference(c.find("/DC0/host/DC0_C0/Resources"))}})
	c.done(vms[0], "Destroy_Task", nil)
	c.done(pool, "Destroy_Task", nil)
	if owner := target(c.get(vms[1], "resourcePool")); owner == pool {
		t.Error("the VM is still in the pool that is gone")
	}
}
