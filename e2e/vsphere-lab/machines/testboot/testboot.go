// Package testboot says whether a test can boot machines, and gives it something to boot.
package testboot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// Require skips a test that cannot boot machines here, and says why.
func Require(t testing.TB) {
	t.Helper()
	if reason := missing(); reason != "" {
		t.Skip(reason)
	}
}

func missing() string {
	if os.Getenv("BERTH_LAB_BOOT") == "" {
		return "BERTH_LAB_BOOT is not set: it boots machines, which takes a minute and root"
	}
	if os.Geteuid() != 0 {
		return "not root: bridges and taps need it"
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		return "no qemu-system-x86_64"
	}
	if _, err := os.Stat(bootstrapISO()); err != nil {
		return "no boot artifact: " + err.Error()
	}
	return ""
}

// repository is where the boot artifact and the package cache are.
func repository() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "../../../..")
}

func bootstrapISO() string { return filepath.Join(repository(), ".berth/boot/bootstrap.iso") }

// BootstrapISO gives the image that containerVMs boot.
func BootstrapISO(t testing.TB) string {
	t.Helper()
	Require(t)
	return bootstrapISO()
}

// GuestISO gives an image with the test's own guest, made once for all tests of a process. Main removes it.
func GuestISO(t testing.TB) string {
	t.Helper()
	Require(t)
	iso, err := guestISO()
	if err != nil {
		t.Fatal(err)
	}
	return iso
}

// guestFolder holds the guest's ISO once it is made.
var guestFolder string

var guestISO = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "testguest")
	if err != nil {
		return "", err
	}
	guestFolder = folder
	command := exec.Command("sh", "-c", `set -e
		CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$0/init" ../testguest
		"$1/iso-builder/build" --tether "$0/init" --output "$0" --kernel debian --cache "$1/.berth/cache"
		rm -f "$0/kernel" "$0/initramfs" "$0/init"`, folder, repository())
	command.Dir = filepath.Join(repository(), "e2e/vsphere-lab/machines/testboot")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return filepath.Join(folder, "bootstrap.iso"), nil
})

// Main runs the tests of a package that uses GuestISO; its TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	if guestFolder != "" {
		os.RemoveAll(guestFolder)
	}
	os.Exit(code)
}
