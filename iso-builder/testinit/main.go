// Command testinit is an /init that loads modules as the boot artifact's contract says, reports on standard output
// what the machine has, and waits for the machine's end. The tests and measurements of iso-builder boot it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// Found is the report: one line of JSON after the word "found".
type Found struct {
	Kernel    string   `json:"kernel"`
	Ports     []string `json:"ports"`
	Disks     []string `json:"disks"`
	NICs      []string `json:"nics"`
	Config    string   `json:"config"`
	Modules   int      `json:"modules"`
	MemoryKiB [2]int   `json:"memoryKiB"`
	Clock     string   `json:"clock"`
	Year      int      `json:"year"`
	Problems  []string `json:"problems"`
	// Milliseconds since the kernel's start: at this program's first line, before and after loading modules.
	Milliseconds [3]int64 `json:"milliseconds"`
}

func main() {
	fmt.Println("testinit: started")
	found := Found{Problems: []string{}}
	found.Milliseconds[0] = uptime()
	found.mount("proc", "/proc")
	found.mount("sysfs", "/sys")
	found.mount("devtmpfs", "/dev")
	found.Milliseconds[1] = uptime()
	found.loadModules()
	found.Milliseconds[2] = uptime()
	found.look()
	line, err := json.Marshal(found)
	if err != nil {
		panic(err)
	}
	fmt.Printf("testinit: found %s\n", line)
	if strings.Contains(text("/proc/cmdline"), "testinit=poweroff") {
		_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	}
	if strings.Contains(text("/proc/cmdline"), "testinit=restart") {
		_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	}
	for {
		_ = syscall.Pause()
	}
}

func uptime() int64 {
	const clockBoottime = 7
	var now syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptrOf(&now), 0)
	return now.Nano() / int64(time.Millisecond)
}

func (f *Found) problem(format string, arguments ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, arguments...))
}

func (f *Found) mount(kind, where string) {
	if err := syscall.Mount(kind, where, kind, 0, ""); err != nil {
		f.problem("mount %s: %v", where, err)
	}
}

func (f *Found) look() {
	f.Kernel = strings.TrimSpace(text("/proc/sys/kernel/osrelease"))
	f.Ports = each("/sys/class/virtio-ports/*", func(port string) string { return text(port + "/name") })
	f.Disks = each("/sys/class/block/*", diskName)
	f.NICs = each("/sys/class/net/*", func(nic string) string {
		driver, _ := filepath.EvalSymlinks(nic + "/device/driver")
		if driver == "" {
			return ""
		}
		return filepath.Base(driver) + "=" + text(nic+"/address")
	})
	f.Config = text("/sys/firmware/qemu_fw_cfg/by_name/opt/dev.berth/config/raw")
	f.Clock = text("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	f.Year = time.Now().UTC().Year()
	f.MemoryKiB = [2]int{memory("MemTotal:"), memory("MemAvailable:")}
	for _, kind := range []string{"overlay", "squashfs", "ext4", "tmpfs", "cgroup2"} {
		if !strings.Contains(text("/proc/filesystems"), "\t"+kind) {
			f.problem("no file system %s", kind)
		}
	}
	if err := syscall.Mount("cgroup2", "/run", "cgroup2", 0, ""); err != nil {
		f.problem("mount cgroup2: %v", err)
	}
	for _, controller := range []string{"cpuset", "cpu", "io", "memory", "pids"} {
		if !strings.Contains(" "+text("/run/cgroup.controllers")+" ", " "+controller+" ") {
			f.problem("no controller %s", controller)
		}
	}
}

// diskName gives serial, driver, size in sectors and read-only flag of a whole disk; virtio tells the serial number
// itself, of a SCSI disk it is in page 0x80 of its vital product data.
func diskName(disk string) string {
	serial := text(disk + "/serial")
	if page := text(disk + "/device/vpd_pg80"); serial == "" && len(page) > 4 {
		serial = strings.TrimSpace(page[4:])
	}
	if _, err := os.Stat(disk + "/device"); err != nil {
		return ""
	}
	return fmt.Sprintf("%s=%s,%s,%s", filepath.Base(disk), serial, text(disk+"/size"), text(disk+"/ro"))
}

func memory(field string) int {
	_, after, _ := strings.Cut(text("/proc/meminfo"), field)
	var kibibytes int
	_, _ = fmt.Sscan(after, &kibibytes)
	return kibibytes
}

func text(file string) string {
	content, _ := os.ReadFile(file)
	return strings.TrimSpace(string(content))
}

// each calls describe for every path that matches, and gives the answers that are not empty, sorted.
func each(pattern string, describe func(string) string) []string {
	answers := []string{}
	paths, _ := filepath.Glob(pattern)
	for _, path := range paths {
		if answer := describe(path); answer != "" {
			answers = append(answers, answer)
		}
	}
	sort.Strings(answers)
	return answers
}
