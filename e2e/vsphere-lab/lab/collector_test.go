package lab

import (
	"fmt"
	"testing"
)

// follow makes a filter of all VMs below the datacenter's folder.
func (c *client) follow(partial bool, paths ...string) (filter string) {
	c.Helper()
	view := c.call("ViewManager/ViewManager", "CreateContainerView", object{"container": reference(c.find("/DC0/vm")), "type": []string{"VirtualMachine"}, "recursive": true})
	return target(c.call("PropertyCollector/propertyCollector", "CreateFilter", object{"partialUpdates": partial, "spec": object{
		"_typeName": "PropertyFilterSpec",
		"propSet":   []object{{"_typeName": "PropertySpec", "type": "VirtualMachine", "pathSet": paths}},
		"objectSet": []object{{"_typeName": "ObjectSpec", "obj": view, "skip": true, "selectSet": []object{
			{"_typeName": "TraversalSpec", "type": "ContainerView", "path": "view", "skip": false}}}},
	}}))
}

type change struct{ kind, name, value string }

// wait gives the next updates, and the version that they are of.
func (c *client) wait(version string, options object) (changes []change, next string, truncated bool) {
	c.Helper()
	options["_typeName"] = "WaitOptions"
	set, ok := c.call("PropertyCollector/propertyCollector", "WaitForUpdatesEx", object{"version": version, "options": options}).(object)
	if !ok {
		return nil, version, false
	}
	for _, filter := range set["filterSet"].([]any) {
		for _, update := range filter.(object)["objectSet"].([]any) {
			kind := update.(object)["kind"].(string)
			properties, _ := update.(object)["changeSet"].([]any)
			if len(properties) == 0 {
				changes = append(changes, change{kind: kind})
			}
			for _, property := range properties {
				p := property.(object)
				value := ""
				if box, ok := p["val"].(object); ok {
					value = fmt.Sprint(box["_value"])
				}
				changes = append(changes, change{kind, p["name"].(string), value})
			}
		}
	}
	more, _ := set["truncated"].(bool)
	return changes, set["version"].(string), more
}

func TestUpdatesTellWhatChanged(t *testing.T) {
	c := start(t, licensed)
	vm := c.create("first", nil)
	c.follow(true, "name", "runtime")
	changes, version, _ := c.wait("", object{"maxWaitSeconds": 5})
	if len(changes) != 2 || changes[0].kind != "enter" || changes[0].value != "first" {
		t.Fatalf("the first updates are %v", changes)
	}
	if changes, _, _ := c.wait(version, object{"maxWaitSeconds": 0}); changes != nil {
		t.Fatalf("without a change there is %v", changes)
	}
	c.done(vm, "PowerOnVM_Task", nil)
	changes, next, _ := c.wait(version, object{"maxWaitSeconds": 5})
	found := false
	for _, change := range changes {
		found = found || change == change1("modify", "runtime.powerState", "poweredOn")
	}
	if !found {
		t.Errorf("powering on is told as %v", changes)
	}
	again, same, _ := c.wait(version, object{"maxWaitSeconds": 5})
	if same != next || len(again) != len(changes) {
		t.Errorf("an answer that was lost is not repeated: %v", again)
	}
	if _, fault := c.try("PropertyCollector/propertyCollector", "WaitForUpdatesEx", object{"version": "77"}); fault["_typeName"] != "InvalidCollectorVersion" {
		t.Errorf("a stale version gives %v", fault)
	}
	c.create("second", nil)
	changes, next, _ = c.wait(next, object{"maxWaitSeconds": 5})
	if len(changes) == 0 || changes[0] != change1("enter", "name", "second") {
		t.Errorf("a new VM is told as %v", changes)
	}
	c.done(vm, "PowerOffVM_Task", nil)
	c.done(vm, "Destroy_Task", nil)
	c.until("it is told that the VM is gone", func() bool {
		changes, next, _ = c.wait(next, object{"maxWaitSeconds": 5})
		return len(changes) > 0 && changes[len(changes)-1].kind == "leave"
	})
}

func change1(kind, name, value string) change { return change{kind, name, value} }

func TestUpdatesAreTruncated(t *testing.T) {
	c := start(t, licensed)
	for i := range 5 {
		c.create(fmt.Sprint("vm", i), nil)
	}
	c.follow(false, "name")
	seen, version, truncated := []change(nil), "", true
	for rounds := 0; truncated; rounds++ {
		var changes []change
		changes, version, truncated = c.wait(version, object{"maxObjectUpdates": 2, "maxWaitSeconds": 5})
		seen = append(seen, changes...)
		if len(changes) > 2 || rounds > 3 {
			t.Fatalf("round %d has %v", rounds, changes)
		}
	}
	if len(seen) != 5 {
		t.Errorf("all in all: %v", seen)
	}
}

func TestFiltersNameWhatDoesNotExist(t *testing.T) {
	c := start(t, licensed)
	_, fault := c.try("PropertyCollector/propertyCollector", "CreateFilter", object{"partialUpdates": false, "spec": object{
		"_typeName": "PropertyFilterSpec",
		"propSet":   []object{{"_typeName": "PropertySpec", "type": "VirtualMachine", "pathSet": []string{"runtime.powerstate"}}},
		"objectSet": []object{{"_typeName": "ObjectSpec", "obj": reference(c.find("/DC0/vm"))}},
	}})
	if fault["_typeName"] != "InvalidProperty" || fault["name"] != "runtime.powerstate" {
		t.Errorf("an unknown property gives %v", fault)
	}
}
