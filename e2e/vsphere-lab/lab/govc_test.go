package lab

import (
	"context"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGovc runs vSphere's own command-line client over both protocols. It shares its types with the lab, but not the codec.
func TestGovc(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "govc")
	build := exec.Command("go", "build", "-o", binary, "../cmd/govc")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build govc: %v\n%s", err, output)
	}
	for protocol, environment := range map[string][]string{
		"SOAP": nil,
		"JSON": {"GOVC_VI_JSON=1", "GOVC_VIM_VERSION=8.0.3.0"},
	} {
		t.Run(protocol, func(t *testing.T) { useGovc(t, binary, environment) })
	}
}

func useGovc(t *testing.T, binary string, environment []string) {
	c := start(t, licensed)
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	authority := write("ca.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw}))
	upload := write("hello.txt", []byte("hello, datastore"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, step := range []struct{ command, want string }{
		{"about", "8.0.3"},
		{"find / -type h", "/DC0/host/DC0_C1/DC0_C1_H2"},
		{"pool.create -mem.limit=1024 -mem.reservation=256 /DC0/host/DC0_C0/Resources/vch", ""},
		{"pool.info /DC0/host/DC0_C0/Resources/vch", "1024MB"},
		{"vm.create -m 64 -c 1 -disk 10MB -net DC0_DVPG0 -pool /DC0/host/DC0_C0/Resources/vch -on=false one", ""},
		{"vm.create -m 64 -net DC0_DVPG0 -pool /DC0/host/DC0_C0/Resources/vch -on=false two", ""},
		{"cluster.rule.create -cluster /DC0/host/DC0_C0 -name together -enable -affinity one two", ""},
		{"cluster.rule.ls -cluster /DC0/host/DC0_C0", "together"},
		{"cluster.group.create -cluster /DC0/host/DC0_C0 -name pods -vm one two", ""},
		{"cluster.group.ls -cluster /DC0/host/DC0_C0", "pods"},
		{"vm.change -vm one -e guestinfo.berth=yes", ""},
		{"vm.power -on one", "OK"},
		{"vm.info -e one", "guestinfo.berth:"},
		{"device.info -vm one ethernet-0", "00:50:56:"},
		{"object.collect -s vm/one runtime.powerState", "poweredOn"},
		{"events vm/one", "powered on"},
		{"pool.info /DC0/host/DC0_C0/Resources/vch", "256MB"},
		{"datastore.mkdir images", ""},
		{"datastore.upload " + upload + " images/hello.txt", "OK"},
		{"datastore.ls images", "hello.txt"},
		{"datastore.download images/hello.txt -", "hello, datastore"},
		{"datastore.rm images/hello.txt", ""},
		{"tags.category.create owner", "urn:vmomi:InventoryServiceCategory"},
		{"tags.create -c owner berth", "urn:vmomi:InventoryServiceTag"},
		{"tags.attach berth /DC0/vm/one", ""},
		{"tags.attached.ls berth", "VirtualMachine"},
		{"host.maintenance.enter /DC0/host/DC0_C0/DC0_C0_H0", "OK"},
		{"host.maintenance.exit /DC0/host/DC0_C0/DC0_C0_H0", "OK"},
		{"vm.power -off one", "OK"},
		// One after the other: the simulator looks at a datastore without its lock when it deletes a VM's files.
		{"vm.destroy one", ""},
		{"vm.destroy two", ""},
		{"pool.destroy /DC0/host/DC0_C0/Resources/vch", ""},
		{"tasks -n 50", "PowerOn "},
	} {
		govc := exec.CommandContext(ctx, binary, strings.Fields(step.command)...)
		govc.Env = append([]string{
			"HOME=" + folder, "GOVC_URL=" + c.server.URL + "/sdk", "GOVC_TLS_CA_CERTS=" + authority,
			"GOVC_USERNAME=" + user, "GOVC_PASSWORD=" + password, "GOVC_PERSIST_SESSION=false",
		}, environment...)
		output, err := govc.CombinedOutput()
		if err != nil || !strings.Contains(string(output), step.want) {
			t.Errorf("govc %s: %v, without %q:\n%s", step.command, err, step.want, output)
		}
	}
}
