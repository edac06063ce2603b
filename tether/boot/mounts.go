package boot

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The tether's own directories.
const (
	Directory        = "/run/berth"
	ImageDirectory   = Directory + "/image"
	ScratchDirectory = Directory + "/scratch"
	RootDirectory    = Directory + "/root"
	DisksDirectory   = Directory + "/disks"
	MemoryDirectory  = Directory + "/memory"
	FilesDirectory   = Directory + "/files"
	ModulesDirectory = "/modules"
	Cgroups          = "/sys/fs/cgroup"
	ContainerCgroup  = Cgroups + "/container"

	// ProcDirectory is not where Go's runtime looks for its cgroup's limits, which the tether and the shim have none of: to find that out
	// is a good part of a program's start.
	ProcDirectory = "/procfs"
)

const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// MountSystem leaves the initramfs for a tmpfs, because no process can pivot away from the kernel's first root, and mounts the kernel's
// file systems in it.
func MountSystem() error {
	const root = "/newroot"
	if err := mountAt("tmpfs", root, 0, "mode=755"); err != nil {
		return err
	}
	for _, m := range []struct {
		kind, at string
		flags    uintptr
		options  string
	}{
		{"proc", ProcDirectory, plain, ""},
		{"sysfs", "/sys", plain, ""},
		{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=755"},
		{"cgroup2", "/sys/fs/cgroup", plain, ""},
		{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
	} {
		if err := mountAt(m.kind, root+m.at, m.flags, m.options); err != nil {
			return err
		}
	}
	if _, err := os.Stat(ModulesDirectory); err == nil {
		if err := os.Mkdir(root+ModulesDirectory, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(ModulesDirectory, root+ModulesDirectory, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("keep the modules: %w", err)
		}
	}
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move to the new root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	for _, dir := range []string{ImageDirectory, ScratchDirectory, RootDirectory, DisksDirectory, MemoryDirectory, FilesDirectory, "/tmp"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func mountAt(kind, target string, flags uintptr, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s at %s: %w", kind, target, err)
	}
	return nil
}

// MakeCgroup makes the container's cgroup, which counts its consumption and its OOM kills and is killed as one by the OOM killer, as the
// kubelet has it. Beyond the limit in bytes, if it is not 0, the container is killed while the kernel and the tether still have theirs: a VM that
// is out of memory as a whole may drop and read the same pages of programs for minutes instead.
func MakeCgroup(memoryLimit int) error {
	const control = Cgroups + "/cgroup.subtree_control"
	controllers := []string{"+memory", "+cpu", "+pids", "+io"}
	if os.WriteFile(control, []byte(strings.Join(controllers, " ")), 0) != nil {
		for _, controller := range controllers {
			// A controller that the kernel lacks costs its figures, not the container.
			_ = os.WriteFile(control, []byte(controller), 0)
		}
	}
	if err := os.Mkdir(ContainerCgroup, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	_ = os.WriteFile(ContainerCgroup+"/memory.oom.group", []byte("1"), 0)
	if memoryLimit == 0 {
		return nil
	}
	return os.WriteFile(ContainerCgroup+"/memory.max", []byte(strconv.Itoa(memoryLimit)), 0)
}

// deviceDeadline bounds the wait for a device of the configuration.
const deviceDeadline = 10 * time.Second

// FindDisk waits for the disk with a serial number and gives its node.
func FindDisk(serial string) (string, error) {
	var node string
	err := Await(deviceDeadline, func() error {
		node = ""
		err := each("/sys/block", "serial", func(disk, value string) bool {
			if value == serial {
				node = "/dev/" + disk
			}
			return node != ""
		})
		if err == nil && node == "" {
			node, err = findSCSI(serial)
		}
		if err == nil && node == "" {
			err = fmt.Errorf("no disk has the serial number %q", serial)
		}
		if err == nil {
			_, err = os.Stat(node)
		}
		return err
	})
	return node, err
}

// Await tries until it succeeds, and returns the last error after the limit.
func Await(limit time.Duration, try func() error) error {
	deadline := time.Now().Add(limit)
	for {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// MountImage mounts the image disk, read-only.
func MountImage(serial string) error {
	node, err := FindDisk(serial)
	if err != nil {
		return err
	}
	if err := mountAny(node, ImageDirectory, []string{"squashfs", "erofs"}, unix.MS_RDONLY|unix.MS_NOATIME); err != nil {
		return fmt.Errorf("mount the image disk %q: %w", serial, err)
	}
	return nil
}

func mountAny(node, target string, kinds []string, flags uintptr) error {
	var err error
	for _, kind := range kinds {
		if err = unix.Mount(node, target, kind, flags, ""); err == nil {
			return nil
		}
	}
	return err
}

// MountScratch mounts the scratch disk; without one (an empty serial) the scratch directory is memory.
func MountScratch(serial string) error {
	if serial == "" {
		return mountAt("tmpfs", ScratchDirectory, unix.MS_NOATIME, "mode=755")
	}
	// What the disk's tables hold was never written: to write zeros there only costs the host.
	return mountDisk(serial, ScratchDirectory, "noinit_itable")
}

// MountDisk mounts an ext4 disk.
func MountDisk(serial, target string) error { return mountDisk(serial, target, "") }

func mountDisk(serial, target, options string) error {
	node, err := FindDisk(serial)
	if err != nil {
		return err
	}
	if err := mountExt4(node, target, options); err != nil {
		return fmt.Errorf("mount the disk %q: %w", serial, err)
	}
	return nil
}

func mountExt4(node, target, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return unix.Mount(node, target, "ext4", unix.MS_NOATIME, options)
}
