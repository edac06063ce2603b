package lab

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/faults"
)

// runs tells whether a VM has a QEMU.
func (b *booting) runs(vm string) bool {
	_, on := b.lab.hypervisor.Process(moref(vm))
	return on
}

func (b *booting) rule(rule faults.Rule) {
	b.Helper()
	if _, err := b.lab.rules.Add(rule); err != nil {
		b.Fatal(err)
	}
}

func TestFaultsOfBootedVMs(t *testing.T) {
	b := startBooting(t)
	vm := b.containerVM("vm")
	b.rule(faults.Rule{Method: "PowerOnVM_Task", Way: faults.Task, Fault: "InsufficientResourcesFault"})
	if _, fault := b.task(vm, "PowerOnVM_Task", nil); fault != "InsufficientResourcesFault" || b.runs(vm) {
		t.Errorf("a power-on that fails gives %q; it runs: %v", fault, b.runs(vm))
	}
	b.rule(faults.Rule{Method: "PowerOnVM_Task", Way: faults.Lost})
	request, _ := http.NewRequest(http.MethodPost, b.url+"/sdk/vim25/8.0.3.0/"+vm+"/PowerOnVM_Task", strings.NewReader("{}"))
	request.Header.Set("vmware-api-session-id", b.session)
	if response, err := b.http.Do(request); err == nil {
		response.Body.Close()
		t.Fatalf("the answer came: %s", response.Status)
	}
	mark := b.booted(vm, "")
	b.rule(faults.Rule{Method: "MigrateVM_Task", Way: faults.Task, Fault: "MigrationFault"})
	host := b.host(vm)
	move := object{"host": reference(b.other(host)), "priority": "defaultPriority"}
	if _, fault := b.task(vm, "MigrateVM_Task", move); fault != "MigrationFault" || b.host(vm) != host {
		t.Errorf("a migration that fails gives %q and leaves it on %s", fault, b.host(vm))
	}
	if err := b.lab.SetLatency(map[string]time.Duration{"json": 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	b.done(vm, "MigrateVM_Task", move)
	b.until("its new host's connection is there", func() bool {
		serial := b.accept()
		_, _ = serial.Write([]byte("late\n"))
		answer, err := serial.reader.ReadString('\n')
		return err == nil && strings.TrimSpace(answer) == mark+" late"
	})
}

// The VMs of a pod are on one host. HA restarts them on one other, and an evacuation moves them to one.
func TestAPodStaysTogether(t *testing.T) {
	b := startBooting(t)
	vms := []string{b.containerVM("web"), b.containerVM("sidecar")}
	b.client.rule(object{"_typeName": "ClusterAffinityRuleSpec", "name": "pod", "vm": references(vms...)})
	b.powerOn(vms...)
	marks := []string{b.booted(vms[0], ""), b.booted(vms[1], "")}
	host := b.host(vms[0])
	if b.host(vms[1]) != host {
		t.Fatalf("the pod is on %s and %s", host, b.host(vms[1]))
	}
	name := b.get(host, "name").(string)
	if err := b.lab.FailHost(name); err != nil {
		t.Fatal(err)
	}
	for i, vm := range vms {
		b.booted(vm, marks[i])
	}
	if first, second := b.host(vms[0]), b.host(vms[1]); first == host || first != second {
		t.Errorf("after the failure of %s the pod is on %s and %s", host, first, second)
	}
	if err := b.lab.RecoverHost(name); err != nil {
		t.Fatal(err)
	}
	marks = []string{b.info(vms[0], "guestinfo.test.boot"), b.info(vms[1], "guestinfo.test.boot")}
	host = b.host(vms[0])
	b.done(host, "EnterMaintenanceMode_Task", object{"timeout": 0})
	if first, second := b.host(vms[0]), b.host(vms[1]); first == host || first != second {
		t.Errorf("after the evacuation of %s the pod is on %s and %s", host, first, second)
	}
	for i, vm := range vms {
		if b.info(vm, "guestinfo.test.boot") != marks[i] || !b.runs(vm) {
			t.Errorf("%s was not moved live", vm)
		}
	}
}
