package lab

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/machines/testboot"
)

// command is a lab in a process of its own.
type command struct {
	*exec.Cmd
	booting
}

// runCommand starts the lab's command with a state directory and logs in.
func runCommand(t *testing.T, binary, directory string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(binary, "--directory", directory, "--boot", "--address", "DC0_DVPG0=10.231.10.1/24")}
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_ = os.Remove(filepath.Join(directory, "lab.json"))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	c.booting = booting{client: &client{T: t, patience: bootPatience}}
	var answer struct{ URL, CAFile, PasswordFile string }
	c.until("the lab is there", func() bool {
		content, err := os.ReadFile(filepath.Join(directory, "lab.json"))
		return err == nil && json.Unmarshal(content, &answer) == nil
	})
	authority, err := os.ReadFile(answer.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(authority)
	c.url, c.http = answer.URL, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}}
	password, err := os.ReadFile(answer.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	c.login(strings.TrimSpace(string(password)))
	return c
}

// qemus gives the processes that run for a state directory.
func qemus(t *testing.T, directory string) []string {
	t.Helper()
	var all []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		content, _ := os.ReadFile(line)
		if strings.HasPrefix(string(content), "qemu-system-x86_64\x00") && strings.Contains(string(content), directory) {
			all = append(all, line)
		}
	}
	return all
}

func bridges(t *testing.T, directory string) []string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(directory, "machines/bridges"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(content))
}

func present(bridge string) bool {
	_, err := net.InterfaceByName(bridge)
	return err == nil
}

// TestNothingIsLeftBehind ends the command well, and badly.
func TestNothingIsLeftBehind(t *testing.T) {
	iso := testboot.GuestISO(t)
	directory := t.TempDir()
	binary := filepath.Join(t.TempDir(), "vsphere-lab")
	if output, err := exec.Command("go", "build", "-o", binary, "../cmd/vsphere-lab").CombinedOutput(); err != nil {
		t.Fatalf("cannot build the lab: %v\n%s", err, output)
	}
	powered := func(name string) (*command, string) {
		c := runCommand(t, binary, directory)
		if made := bridges(t, directory); len(made) != 1 || !present(made[0]) {
			t.Fatalf("this machine is not on the port group that it has an address on: %v", made)
		}
		c.begin(iso)
		vm := c.containerVM(name)
		c.powerOn(vm)
		c.booted(vm, "")
		made := bridges(t, directory)
		if len(made) != 1 || !present(made[0]) || len(qemus(t, directory)) != 1 {
			t.Fatalf("the bridges %v and the processes %v are there", made, qemus(t, directory))
		}
		return c, made[0]
	}
	killed, bridge := powered("killed")
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	killed.until("QEMU has ended with the lab", func() bool { return len(qemus(t, directory)) == 0 })
	if !present(bridge) {
		t.Fatal("a lab that was killed has removed its bridge: this test proves nothing")
	}
	stop(t, runCommand(t, binary, directory))
	if present(bridge) {
		t.Error("the bridge of a lab that was killed is there after the next one")
	}
	stopped, bridge := powered("stopped")
	stop(t, stopped)
	if present(bridge) || len(qemus(t, directory)) > 0 {
		t.Errorf("it leaves the processes %v and the bridge: %v", qemus(t, directory), present(bridge))
	}
}

func stop(t *testing.T, c *command) {
	t.Helper()
	began := time.Now()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Error(fmt.Errorf("the lab ends badly: %w", err))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the lab takes %s to end", took)
	}
}
