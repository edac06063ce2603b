package boot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Resident gives the tether's resident memory, now and at most, as the kernel words it.
func Resident() string {
	content, err := os.ReadFile(ProcDirectory + "/self/status")
	if err != nil {
		return ""
	}
	var text string
	for line := range strings.Lines(string(content)) {
		if name, value, _ := strings.Cut(line, ":"); name == "VmRSS" || name == "VmHWM" {
			text = " " + strings.Join(strings.Fields(value), " ") + text
		}
	}
	return text
}

// LoadModules loads what the devices and the tether need, from the initramfs.
func LoadModules() error {
	modules, err := ReadModules(ModulesDirectory)
	if err != nil {
		return err
	}
	if err := modules.LoadAlways(); err != nil {
		return err
	}
	return modules.LoadDevices()
}

// AddEntropy credits fresh random bytes to the kernel's generator.
func AddEntropy(seed []byte) error {
	if len(seed) == 0 {
		return nil
	}
	file, err := os.OpenFile("/dev/random", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	// struct rand_pool_info: bits, bytes, data.
	info := binary.NativeEndian.AppendUint32(nil, uint32(8*len(seed)))
	info = binary.NativeEndian.AppendUint32(info, uint32(len(seed)))
	info = append(info, seed...)
	_, _, e := unix.Syscall(unix.SYS_IOCTL, file.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&info[0])))
	if e != 0 {
		return fmt.Errorf("add entropy: %w", e)
	}
	return nil
}

// Harden keeps the tether alive when memory is short, and sets what the kubelet sets on a node.
func Harden() error {
	return errors.Join(
		os.WriteFile(ProcDirectory+"/self/oom_score_adj", []byte("-1000"), 0),
		os.WriteFile(ProcDirectory+"/sys/vm/overcommit_memory", []byte("1"), 0))
}

// PowerOff writes everything to the disks, unmounts them, and ends the VM. It does not return.
func PowerOff() {
	unix.Sync()
	// The container is gone; what still holds a mount must not keep the disks from being clean.
	for _, target := range mountedDisks() {
		if unix.Unmount(target, 0) != nil {
			_ = unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY, "")
			_ = unix.Unmount(target, unix.MNT_DETACH)
		}
	}
	unix.Sync()
	if _, err := os.Stat("/sys/firmware/acpi"); err == nil {
		_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	}
	// Without ACPI nothing turns the machine off. The quickest reset ends a VM that is not to be reset.
	_ = os.WriteFile("/sys/kernel/reboot/type", []byte("triple"), 0)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {}
}

// mountedDisks gives the mount points of ext4 disks, the last mounted first.
func mountedDisks() []string {
	content, err := os.ReadFile(ProcDirectory + "/mounts")
	if err != nil {
		return nil
	}
	var targets []string
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "ext4" {
			targets = append(targets, fields[1])
		}
	}
	slices.Reverse(targets)
	return targets
}
