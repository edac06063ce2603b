//go:build vm

package vmtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"berth.dev/tether/boot"
)

// artifacts are what every machine of the tests boots from.
type artifacts struct {
	kernel, initramfs, image string
	// bare is an initramfs without modules, for a kernel that has everything built in.
	bare string
}

// neededModules are what the tests' devices and file systems need, with the modules that the loader is to load in any case.
var neededModules = map[string]bool{
	"virtio_pci": false, "virtio_blk": false, "virtio_net": false, "virtio_console": false, "virtio-rng": false,
	"qemu_fw_cfg": false, "overlay": true, "squashfs": true, "vmw_pvscsi": false, "sd_mod": false, "vmxnet3": false,
}

func run(t testing.TB, directory, name string, arguments ...string) string {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Dir = directory
	output, err := command.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%s: %v\n%s", command, err, exit.Stderr)
		}
		t.Fatalf("%s: %v", command, err)
	}
	return string(output)
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t testing.TB, from, to string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(content), mode)
}

func buildArtifacts(t testing.TB, directory string) artifacts {
	t.Helper()
	package_ := os.Getenv("TETHER_VM_KERNEL_DIRECTORY")
	binary := os.Getenv("TETHER_VM_BINARY")
	if package_ == "" || binary == "" {
		t.Fatal("run these tests with tether/test-vm, which prepares a kernel and the tether")
	}
	kernels, err := filepath.Glob(package_ + "/boot/vmlinuz-*")
	if err != nil || len(kernels) != 1 {
		t.Fatalf("no kernel in %s: %v", package_, err)
	}
	root := filepath.Join(directory, "initramfs.d")
	copyFile(t, binary, filepath.Join(root, "init"), 0o755)
	bare := filepath.Join(directory, "bare")
	run(t, root, "sh", "-c", "find . | cpio -o -H newc --quiet >"+bare)
	copyModules(t, package_, filepath.Join(root, "modules"))
	initramfs := filepath.Join(directory, "initramfs")
	run(t, root, "sh", "-c", "find . | cpio -o -H newc --quiet >"+initramfs)
	return artifacts{kernel: kernels[0], initramfs: initramfs, bare: bare, image: buildImage(t, directory)}
}

// copyModules copies the needed modules and all they depend on, and writes their index.
func copyModules(t testing.TB, package_, target string) {
	t.Helper()
	files := map[string]string{}
	for _, path := range strings.Fields(run(t, package_, "find", "lib/modules", "-name", "*.ko")) {
		files[underscore(strings.TrimSuffix(filepath.Base(path), ".ko"))] = filepath.Join(package_, path)
	}
	var index []boot.Module
	var add func(name string, always bool)
	add = func(name string, always bool) {
		path, ok := files[name]
		if !ok || slices.ContainsFunc(index, func(m boot.Module) bool { return m.Name == name }) {
			return
		}
		depends := strings.FieldsFunc(strings.TrimSpace(run(t, "", "modinfo", "-F", "depends", path)), func(r rune) bool { return r == ',' })
		for i, need := range depends {
			depends[i] = underscore(need)
			add(depends[i], false)
		}
		copyFile(t, path, filepath.Join(target, filepath.Base(path)), 0o644)
		index = append(index, boot.Module{
			Name: name, File: filepath.Base(path), Depends: depends, Always: always,
			Aliases: strings.Fields(run(t, "", "modinfo", "-F", "alias", path)),
		})
	}
	for name, always := range neededModules {
		add(underscore(name), always)
	}
	content, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(target, "index.json"), string(content), 0o644)
}

func underscore(name string) string { return strings.ReplaceAll(name, "-", "_") }

// buildImage makes an image of a static busybox with some users and traps.
func buildImage(t testing.TB, directory string) string {
	t.Helper()
	root := filepath.Join(directory, "image.d")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, busybox, filepath.Join(root, "bin/busybox"), 0o755)
	for _, name := range strings.Fields(run(t, "", busybox, "--list")) {
		if name != "busybox" {
			if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(t, filepath.Join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n", 0o644)
	write(t, filepath.Join(root, "etc/group"), "root:x:0:\nusers:x:100:alice,other\nalice:x:1000:\nstaff:x:50:\n", 0o644)
	write(t, filepath.Join(root, "etc/notexecutable"), "no program\n", 0o644)
	write(t, filepath.Join(root, "data/original"), "from the image\n", 0o644)
	write(t, filepath.Join(root, "home/alice/.profile"), "", 0o644)
	for _, name := range []string{"mnt", "tmp"} {
		if err := os.Mkdir(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(root, name), 0o1777); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "data/lines"), strings.Repeat(strings.Repeat("0123456789", 10)[:99]+"\n", 10_000), 0o644)
	// Some images have a link here that leads nowhere.
	if err := os.Symlink("/run/resolver/resolv.conf", filepath.Join(root, "etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(directory, "image.squashfs")
	run(t, "", "mksquashfs", root, image, "-comp", "lz4", "-all-root", "-noappend", "-quiet", "-no-progress")
	return image
}

func makeScratch(t testing.TB, path string, mebibytes int) {
	t.Helper()
	run(t, "", "mkfs.ext4", "-q", "-O", "^has_journal", "-E", "lazy_itable_init=1", path, fmt.Sprintf("%dM", mebibytes))
}
