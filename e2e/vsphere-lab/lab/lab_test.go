package lab

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/faults"
	"golang.org/x/sys/unix"
)

var licensed = behavior.Options{SerialLicence: true}

func TestRefusesWhatIsNotVIJSON(t *testing.T) {
	c := start(t, licensed)
	folder, pool := c.find("/DC0/vm"), reference(c.find("/DC0/host/DC0_C0/Resources"))
	for name, test := range map[string]struct {
		method string
		body   object
		want   string
	}{
		"unknown method":      {"CreateVm_Task", object{}, `unknown method "CreateVm_Task"`},
		"no type name":        {"CreateVM_Task", object{"config": object{"name": "a"}, "pool": pool}, "Invalid MoRef field"},
		"wrong case":          {"CreateVM_Task", object{"config": object{"_typeName": "VirtualMachineConfigSpec", "Name": "a"}, "pool": pool}, `called "name"`},
		"unknown property":    {"CreateVM_Task", object{"config": object{"_typeName": "VirtualMachineConfigSpec", "colour": "a"}, "pool": pool}, `no property "colour"`},
		"unknown type":        {"CreateVM_Task", object{"config": object{"_typeName": "VMConfigSpec"}, "pool": pool}, "not VMConfigSpec"},
		"null":                {"CreateVM_Task", object{"config": object{"_typeName": "VirtualMachineConfigSpec", "name": nil}, "pool": pool}, "null"},
		"missing parameter":   {"CreateVM_Task", object{"pool": pool}, `needs its property "config"`},
		"string for a number": {"CreateVM_Task", object{"config": object{"_typeName": "VirtualMachineConfigSpec", "memoryMB": "64"}, "pool": pool}, "must be a number"},
		"unboxed value": {"CreateVM_Task", object{"config": object{"_typeName": "VirtualMachineConfigSpec", "extraConfig": []object{
			{"_typeName": "OptionValue", "key": "a", "value": "b"}}}, "pool": pool}, "must be boxed"},
	} {
		_, fault := c.try(folder, test.method, test.body)
		if message, _ := fault["faultstring"].(string); !strings.Contains(message, test.want) {
			t.Errorf("%s: %v does not say %q", name, fault, test.want)
		}
	}
	if status, _ := c.send(http.MethodGet, "/sdk/vim25/7.0.0.0/"+folder+"/name", nil); status != http.StatusNotFound {
		t.Errorf("an unknown release answers %d", status)
	}
}

func TestNegotiatesTheRelease(t *testing.T) {
	c := start(t, licensed)
	for asked, want := range map[string]string{`["9.1.0.0","8.0.2.0"]`: "8.0.2.0", `["8.0.2.0","8.0.3.0"]`: "8.0.3.0", `["9.9.9.9"]`: ""} {
		_, text := c.send(http.MethodPost, "/api/vcenter/system?action=hello", []byte(`{"api_releases":`+asked+`}`))
		var answer struct {
			Release string `json:"api_release"`
		}
		if err := json.Unmarshal(text, &answer); err != nil || answer.Release != want {
			t.Errorf("%s gives %q, not %q", asked, text, want)
		}
	}
}

func TestRefusesWhatAVcenterRefuses(t *testing.T) {
	c := start(t, behavior.Options{})
	folder, pool := c.find("/DC0/vm"), reference(c.find("/DC0/host/DC0_C0/Resources"))
	c.create("taken", nil)
	device := func(device, more object) object {
		change := object{"_typeName": "VirtualDeviceConfigSpec", "operation": "add", "device": device}
		for key, value := range more {
			change[key] = value
		}
		return object{"deviceChange": []object{change}}
	}
	nic := func(network string) object {
		return device(object{"_typeName": "VirtualVmxnet3", "key": -1, "backing": object{"_typeName": "VirtualEthernetCardNetworkBackingInfo", "deviceName": network}}, nil)
	}
	disk := func(file string) object {
		return device(object{"_typeName": "VirtualDisk", "key": -1, "controllerKey": 200, "capacityInKB": 1024, "backing": object{
			"_typeName": "VirtualDiskFlatVer2BackingInfo", "fileName": file, "diskMode": "persistent"}}, nil)
	}
	for name, test := range map[string]struct {
		config object
		want   string
	}{
		"name taken":         {spec("taken", nil), "DuplicateName"},
		"name too long":      {spec(strings.Repeat("n", 81), nil), "InvalidName"},
		"no files":           {object{"_typeName": "VirtualMachineConfigSpec", "name": "a"}, "InvalidVmConfig"},
		"unknown datastore":  {spec("a", object{"files": object{"_typeName": "VirtualMachineFileInfo", "vmPathName": "[nowhere]"}}), "InvalidDatastorePath"},
		"unknown network":    {spec("a", nic("nowhere")), "InvalidDeviceBacking"},
		"unknown disk":       {spec("a", disk("[LocalDS_0] no/disk.vmdk")), "FileNotFound"},
		"unknown controller": {spec("a", device(object{"_typeName": "VirtualDisk", "key": -1, "controllerKey": 1000, "capacityInKB": 1}, nil)), "InvalidController"},
	} {
		if _, fault := c.task(folder, "CreateVM_Task", object{"config": test.config, "pool": pool}); fault != test.want {
			t.Errorf("%s: %q instead of %s", name, fault, test.want)
		}
	}
	if _, fault := c.task(folder, "CreateVM_Task", object{"config": spec("a", nil), "pool": reference("ResourcePool/none")}); fault != "ManagedObjectNotFound" {
		t.Errorf("an unknown pool gives %q", fault)
	}
	serial := c.create("serial", device(object{"_typeName": "VirtualSerialPort", "key": -1, "yieldOnPoll": true, "backing": object{
		"_typeName": "VirtualSerialPortURIBackingInfo", "serviceURI": "tcp://127.0.0.1:1", "direction": "client"}}, nil))
	if _, fault := c.task(serial, "PowerOnVM_Task", nil); fault != "RestrictedVersion" {
		t.Errorf("without a licence, a serial port over the network gives %q", fault)
	}
	iso := c.create("iso", device(object{"_typeName": "VirtualCdrom", "key": -1, "controllerKey": 200, "backing": object{
		"_typeName": "VirtualCdromIsoBackingInfo", "fileName": "[LocalDS_0] none.iso"}}, nil))
	if _, fault := c.task(iso, "PowerOnVM_Task", nil); fault != "FileNotFound" {
		t.Errorf("a missing ISO image gives %q", fault)
	}
	if _, fault := c.task(iso, "ReconfigVM_Task", object{"spec": object{"_typeName": "VirtualMachineConfigSpec", "deviceChange": []object{
		{"_typeName": "VirtualDeviceConfigSpec", "operation": "remove", "device": object{"_typeName": "VirtualDisk", "key": 77, "capacityInKB": 1}}}}}); fault != "InvalidDeviceSpec" {
		t.Errorf("a wrong device key gives %q", fault)
	}
}

func TestNewDisksHaveTheirSizeAndOneOwner(t *testing.T) {
	c := start(t, licensed)
	with := func(file, operation string) object {
		change := object{"_typeName": "VirtualDeviceConfigSpec", "operation": "add", "device": object{
			"_typeName": "VirtualDisk", "key": -1, "controllerKey": 200, "unitNumber": 0, "capacityInKB": 2048,
			"backing": object{"_typeName": "VirtualDiskFlatVer2BackingInfo", "fileName": file, "diskMode": "persistent", "thinProvisioned": true}}}
		if operation != "" {
			change["fileOperation"] = operation
		}
		return object{"deviceChange": []object{change}}
	}
	first := c.create("first", with("[LocalDS_0] first/data.vmdk", "create"))
	extents, _ := filepath.Glob(filepath.Join(c.get(c.find("/DC0/datastore/LocalDS_0"), "summary").(object)["url"].(string), "first", "data-flat.vmdk"))
	if len(extents) != 1 {
		t.Fatalf("there is no extent: %v", extents)
	}
	if info, err := os.Stat(extents[0]); err != nil || info.Size() != 2048<<10 {
		t.Errorf("the extent is %v, %v", info, err)
	}
	second := c.create("second", with("[LocalDS_0] first/data.vmdk", ""))
	c.done(first, "PowerOnVM_Task", nil)
	if _, fault := c.task(second, "PowerOnVM_Task", nil); fault != "FileLocked" {
		t.Errorf("a disk in use gives %q", fault)
	}
}

func TestDisksAreExtendedAndCopiedWithoutTheirHoles(t *testing.T) {
	c := start(t, behavior.Options{})
	const disks, size = "VirtualDiskManager/virtualDiskManager", 8 << 30
	datacenter := reference(c.find("/DC0"))
	c.put("a-flat.vmdk", bytes.Repeat([]byte("x"), 1<<20))
	c.put("a.vmdk", []byte("# Disk DescriptorFile\nversion=1\ncreateType=\"vmfs\"\nRW 2048 VMFS \"a-flat.vmdk\"\nddb.uuid = \"60 00 C2 9a 00 00 00 00-00 00 00 00 00 00 00 01\"\n"))
	extend := func(name string, bytes int64) string {
		_, fault := c.task(disks, "ExtendVirtualDisk_Task", object{"name": name, "datacenter": datacenter, "newCapacityKb": bytes >> 10, "eagerZero": false})
		return fault
	}
	copied := func() string {
		_, fault := c.task(disks, "CopyVirtualDisk_Task", object{"sourceName": "[LocalDS_0] a.vmdk", "sourceDatacenter": datacenter, "destName": "[LocalDS_0] b.vmdk"})
		return fault
	}
	if fault := extend("[LocalDS_0] a.vmdk", size); fault != "" {
		t.Fatal(fault)
	}
	if fault := extend("[LocalDS_0] a.vmdk", size/2); fault != "FileFault" {
		t.Errorf("to make a disk smaller: %q", fault)
	}
	if fault := copied(); fault != "" {
		t.Fatal(fault)
	}
	if fault := copied(); fault != "FileAlreadyExists" {
		t.Errorf("to copy onto another: %q", fault)
	}
	_, descriptor := c.send(http.MethodGet, "/folder/b.vmdk?dcPath=DC0&dsName=LocalDS_0", nil)
	if !bytes.Contains(descriptor, []byte("RW 16777216 VMFS")) || !bytes.Contains(descriptor, []byte("60 00 C2 9a")) {
		t.Errorf("the descriptor is %s", descriptor)
	}
	var extent unix.Stat_t
	folder := c.get(c.find("/DC0/datastore/LocalDS_0"), "summary").(object)["url"].(string)
	if err := unix.Stat(filepath.Join(folder, "b-flat.vmdk"), &extent); err != nil || extent.Size != size || extent.Blocks > 4096 {
		t.Errorf("%v: %d bytes in %d blocks", err, extent.Size, extent.Blocks)
	}
}

func TestFaultsByRule(t *testing.T) {
	c := start(t, licensed)
	vm := c.create("vm", nil)
	for _, rule := range []faults.Rule{
		{Method: "PowerOnVM_Task", Object: "vm", Nth: 1, Fault: "InsufficientResourcesFault", Way: faults.Task},
		{Method: "PowerOnVM_Task", Nth: 2, Fault: "HostCommunication", Message: "gone"},
		{Path: "GET /folder/", Status: http.StatusTooManyRequests},
	} {
		if _, err := c.lab.rules.Add(rule); err != nil {
			t.Fatal(err)
		}
	}
	if _, fault := c.task(vm, "PowerOnVM_Task", nil); fault != "InsufficientResourcesFault" {
		t.Errorf("the first call gives %q", fault)
	}
	if _, fault := c.try(vm, "PowerOnVM_Task", nil); fault["_typeName"] != "HostCommunication" || fault["faultstring"] != "gone" {
		t.Errorf("the second call gives %v", fault)
	}
	c.done(vm, "PowerOnVM_Task", nil)
	if status, _ := c.send(http.MethodGet, "/folder/a?dsName=LocalDS_0", nil); status != http.StatusTooManyRequests {
		t.Errorf("the path's rule gives %d", status)
	}
	if _, err := c.lab.rules.Add(faults.Rule{Method: "PowerOn"}); err == nil {
		t.Error("a rule for a method that does not exist is taken")
	}
	if calls := c.lab.rules.Calls()["PowerOnVM_Task"]; calls != 3 {
		t.Errorf("%d calls were counted", calls)
	}
}

func TestALostAnswerIsOfACallThatWasRun(t *testing.T) {
	c := start(t, licensed)
	folder, pool := c.find("/DC0/vm"), reference(c.find("/DC0/host/DC0_C0/Resources"))
	if _, err := c.lab.rules.Add(faults.Rule{Method: "CreateVM_Task", Way: faults.Lost}); err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(object{"config": spec("lost", nil), "pool": pool})
	request, _ := http.NewRequest(http.MethodPost, c.server.URL+"/sdk/vim25/8.0.3.0/"+folder+"/CreateVM_Task", strings.NewReader(string(body)))
	request.Header.Set("vmware-api-session-id", c.session)
	if response, err := c.http.Do(request); err == nil {
		response.Body.Close()
		t.Fatalf("the answer came: %s", response.Status)
	}
	c.until("the VM is there", func() bool {
		found := c.call("SearchIndex/SearchIndex", "FindByInventoryPath", object{"inventoryPath": "/DC0/vm/lost"})
		return found != nil
	})
}

func TestFilesOfDatastores(t *testing.T) {
	c := start(t, licensed)
	const file = "/folder/f.txt?dcPath=DC0&dsName=LocalDS_0"
	if status, _ := c.send(http.MethodPut, file, []byte("hello")); status != http.StatusCreated {
		t.Fatalf("PUT answers %d", status)
	}
	if status, text := c.send(http.MethodGet, file, nil); status != http.StatusOK || string(text) != "hello" {
		t.Errorf("GET answers %d with %q", status, text)
	}
	if status, _ := c.send(http.MethodDelete, file, nil); status != http.StatusNoContent {
		t.Errorf("DELETE answers %d", status)
	}
	if status, _ := c.send(http.MethodGet, file, nil); status != http.StatusNotFound {
		t.Errorf("GET after DELETE answers %d", status)
	}
	c.http.Jar = nil
	if status, _ := c.send(http.MethodGet, file, nil); status != http.StatusUnauthorized {
		t.Errorf("GET without a session's cookie answers %d", status)
	}
}

func TestTagsOverREST(t *testing.T) {
	c := start(t, licensed)
	vm := reference(c.create("tagged", nil))
	post := func(path string, body object) (id string) {
		status, text := c.send(http.MethodPost, path, body)
		if status != http.StatusCreated || json.Unmarshal(text, &id) != nil {
			t.Fatalf("%s answers %d with %s", path, status, text)
		}
		return id
	}
	category := post("/api/cis/tagging/category", object{"name": "owner", "description": "", "cardinality": "SINGLE", "associable_types": []string{}})
	tag := post("/api/cis/tagging/tag", object{"name": "berth", "description": "", "category_id": category})
	entity := object{"object_id": object{"type": vm["type"], "id": vm["value"]}}
	if status, text := c.send(http.MethodPost, "/api/cis/tagging/tag-association/"+tag+"?action=attach", entity); status != http.StatusNoContent {
		t.Fatalf("attach answers %d with %s", status, text)
	}
	status, text := c.send(http.MethodPost, "/api/cis/tagging/tag-association?action=list-attached-tags", entity)
	if status != http.StatusOK || !strings.Contains(string(text), tag) {
		t.Errorf("the VM's tags are %d, %s", status, text)
	}
}

func TestSessionsEnd(t *testing.T) {
	c := start(t, licensed)
	c.lab.ExpireSessions()
	if _, fault := c.try("ServiceInstance/ServiceInstance", "CurrentTime", nil); fault != nil {
		t.Errorf("the time needs no session: %v", fault)
	}
	if _, fault := c.try("SearchIndex/SearchIndex", "FindByInventoryPath", object{"inventoryPath": "/DC0"}); fault["_typeName"] != "NotAuthenticated" {
		t.Errorf("an expired session gives %v", fault)
	}
}
