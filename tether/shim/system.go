package shim

import (
	"errors"
	"fmt"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// standardDevices are the nodes that every container has.
var standardDevices = []Device{
	{"/dev/null", unix.S_IFCHR | 0o666, 1, 3},
	{"/dev/zero", unix.S_IFCHR | 0o666, 1, 5},
	{"/dev/full", unix.S_IFCHR | 0o666, 1, 7},
	{"/dev/random", unix.S_IFCHR | 0o666, 1, 8},
	{"/dev/urandom", unix.S_IFCHR | 0o666, 1, 9},
	{"/dev/tty", unix.S_IFCHR | 0o666, 5, 0},
}

var standardLinks = [][2]string{
	{"/proc/self/fd", "/dev/fd"},
	{"/proc/self/fd/0", "/dev/stdin"},
	{"/proc/self/fd/1", "/dev/stdout"},
	{"/proc/self/fd/2", "/dev/stderr"},
	{"pts/ptmx", "/dev/ptmx"},
	{"/proc/kcore", "/dev/core"},
}

type systemMount struct {
	kind, target string
	flags        uintptr
	options      string
}

// mountSystem mounts what the kernel and the runtime give a container.
func mountSystem(root *Root) error {
	shared := root.SharedMemory
	if shared == 0 {
		shared = 64 << 20
	}
	const plain = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	sys := uintptr(plain | unix.MS_RDONLY)
	if root.Privileged {
		sys = plain
	}
	mounts := []systemMount{
		{"proc", "/proc", plain, ""},
		{"tmpfs", "/dev", unix.MS_NOSUID | unix.MS_STRICTATIME, "mode=755,size=65536k"},
		{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"},
		{"mqueue", "/dev/mqueue", plain, ""},
		{"tmpfs", "/dev/shm", plain, "mode=1777,size=" + strconv.FormatUint(shared, 10)},
		{"sysfs", "/sys", sys, ""},
		{"cgroup2", "/sys/fs/cgroup", sys, ""},
	}
	for _, m := range mounts {
		if err := os.MkdirAll(m.target, 0o755); err != nil {
			return fmt.Errorf("make %s: %w", m.target, err)
		}
		err := unix.Mount(m.kind, m.target, m.kind, m.flags, m.options)
		if errors.Is(err, unix.ENODEV) && m.kind == "mqueue" {
			continue
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.target, err)
		}
	}
	return makeDevices(root.Devices)
}

func makeDevices(more []Device) error {
	old := unix.Umask(0)
	defer unix.Umask(old)
	for _, device := range append(append([]Device(nil), standardDevices...), more...) {
		if err := os.MkdirAll(filepath.Dir(device.Path), 0o755); err != nil {
			return err
		}
		err := unix.Mknod(device.Path, device.Mode, int(unix.Mkdev(device.Major, device.Minor)))
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("make the device %s: %w", device.Path, err)
		}
	}
	for _, link := range standardLinks {
		if err := os.Symlink(link[0], link[1]); err != nil {
			return err
		}
	}
	return nil
}

// protect hides and write-protects what the specification names. What is not there needs neither.
func protect(root *Root) error {
	for _, path := range root.ReadOnlyPaths {
		err := setReadOnlyBind(path)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("make %s read-only: %w", path, err)
		}
	}
	for _, path := range root.Masked {
		if err := mask(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("hide %s: %w", path, err)
		}
	}
	return nil
}

func setReadOnlyBind(path string) error {
	if err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return setReadOnly(unix.AT_FDCWD, path, true)
}

func mask(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return unix.Mount("tmpfs", path, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "size=0")
	}
	return unix.Mount("/dev/null", path, "", unix.MS_BIND, "")
}

// sysctlPath gives the file of a sysctl. A slash stands for a dot in a name's part, and the other way round, as sysctl(8) has it.
func sysctlPath(name string) string {
	swapped := strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, name)
	return filepath.Join("/proc/sys", filepath.Clean("/"+swapped))
}
