package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/inventory"
)

const (
	user     = "administrator@vsphere.local"
	password = "a password of this test"
)

type object = map[string]any

// client speaks VI/JSON to a lab of its own.
type client struct {
	*testing.T
	lab     *Lab
	server  *httptest.Server
	url     string
	http    *http.Client
	session string
	// patience is how long tasks and conditions may take.
	patience time.Duration
}

func start(t *testing.T, options behavior.Options) *client {
	return startWith(t, Options{Behavior: options})
}

func startWith(t *testing.T, options Options) *client {
	t.Helper()
	options.Directory, options.User, options.Password, options.Releases = t.TempDir(), user, password, []string{"8.0.2.0", "8.0.3.0"}
	options.Shape = inventory.Shape{Datacenters: 1, Clusters: 2, Hosts: 3, Datastores: 1, PortGroups: 1, HostCores: 8, HostMHz: 2000, HostMemory: 4096}
	lab, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewTLSServer(lab.Handler())
	t.Cleanup(server.Close)
	c := &client{T: t, lab: lab, server: server, url: server.URL, http: server.Client(), patience: 10 * time.Second}
	c.login(password)
	return c
}

func (c *client) login(password string) {
	c.Helper()
	jar, _ := cookiejar.New(nil)
	c.http.Jar, c.http.Timeout = jar, 20*time.Second
	c.call("SessionManager/SessionManager", "Login", object{"userName": user, "password": password})
	if c.session == "" {
		c.Fatal("the login gave no session")
	}
}

// send makes a request and gives the status and the body.
func (c *client) send(method, path string, body any) (int, []byte) {
	c.Helper()
	var reader io.Reader
	switch content := body.(type) {
	case nil:
	case []byte:
		reader = bytes.NewReader(content)
	default:
		text, err := json.Marshal(content)
		if err != nil {
			c.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.url+path, reader)
	if err != nil {
		c.Fatal(err)
	}
	request.Header.Set("vmware-api-session-id", c.session)
	if !strings.HasPrefix(path, "/folder") {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.Fatal(err)
	}
	if session := response.Header.Get("vmware-api-session-id"); session != "" {
		c.session = session
	}
	return response.StatusCode, text
}

// try calls a method; the result is nil without one, and a fault is the second value.
func (c *client) try(target, method string, body object) (any, object) {
	c.Helper()
	if body == nil {
		body = object{}
	}
	status, text := c.send(http.MethodPost, "/sdk/vim25/8.0.3.0/"+target+"/"+method, body)
	var value any
	if len(text) > 0 {
		if err := json.Unmarshal(text, &value); err != nil {
			c.Fatalf("%s answers %d with %q", method, status, text)
		}
	}
	switch status {
	case http.StatusOK, http.StatusNoContent:
		return value, nil
	case http.StatusInternalServerError:
		return nil, value.(object)
	}
	c.Fatalf("%s answers %d with %q", method, status, text)
	return nil, nil
}

// call is for what must succeed.
func (c *client) call(target, method string, body object) any {
	c.Helper()
	value, fault := c.try(target, method, body)
	if fault != nil {
		c.Fatalf("%s.%s fails: %v", target, method, fault)
	}
	return value
}

// get reads a property.
func (c *client) get(target, property string) any {
	c.Helper()
	status, text := c.send(http.MethodGet, "/sdk/vim25/8.0.3.0/"+target+"/"+property, nil)
	if status == http.StatusNoContent {
		return nil
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil || status != http.StatusOK {
		c.Fatalf("GET %s of %s answers %d with %q", property, target, status, text)
	}
	return value
}

// find gives an object of the inventory as "Type/id".
func (c *client) find(path string) string {
	c.Helper()
	found, ok := c.call("SearchIndex/SearchIndex", "FindByInventoryPath", object{"inventoryPath": path}).(object)
	if !ok {
		c.Fatalf("there is no %s", path)
	}
	return target(found)
}

func target(reference any) string {
	r := reference.(object)
	return fmt.Sprintf("%v/%v", r["type"], r["value"])
}

func reference(target string) object {
	kind, value, _ := strings.Cut(target, "/")
	return object{"_typeName": "ManagedObjectReference", "type": kind, "value": value}
}

// task runs a method with a task; the name of the fault is "" when it succeeds.
func (c *client) task(on, method string, body object) (result any, fault string) {
	c.Helper()
	started, refused := c.try(on, method, body)
	if refused != nil {
		return nil, refused["_typeName"].(string)
	}
	var info object
	c.until("the task of "+method+" ends", func() bool {
		info = c.get(target(started), "info").(object)
		return info["state"] == "success" || info["state"] == "error"
	})
	if info["state"] == "success" {
		return info["result"], ""
	}
	c.Logf("%v", info["error"])
	return nil, info["error"].(object)["fault"].(object)["_typeName"].(string)
}

// done is for tasks that must succeed.
func (c *client) done(on, method string, body object) any {
	c.Helper()
	result, fault := c.task(on, method, body)
	if fault != "" {
		c.Fatalf("%s of %s fails with %s", method, on, fault)
	}
	return result
}

func spec(name string, more object) object {
	config := object{
		"_typeName": "VirtualMachineConfigSpec", "name": name, "memoryMB": 128, "numCPUs": 1,
		"files": object{"_typeName": "VirtualMachineFileInfo", "vmPathName": "[LocalDS_0]"},
	}
	for key, value := range more {
		config[key] = value
	}
	return config
}

// create makes a VM in the first cluster.
func (c *client) create(name string, more object) string {
	c.Helper()
	return target(c.done(c.find("/DC0/vm"), "CreateVM_Task", object{"config": spec(name, more), "pool": reference(c.find("/DC0/host/DC0_C0/Resources"))}))
}

func (c *client) host(vm string) string {
	c.Helper()
	return target(c.get(vm, "runtime").(object)["host"])
}

func (c *client) power(vm string) string {
	c.Helper()
	return c.get(vm, "runtime").(object)["powerState"].(string)
}

// until waits for a condition.
func (c *client) until(what string, holds func() bool) {
	c.Helper()
	for deadline := time.Now().Add(c.patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	c.Fatalf("never: %s", what)
}
