// Command testguest is an /init for the tests of the lab's machines: iso-builder makes a bootstrap ISO of it. It tells what the machine
// has over guestinfo, counts on the first serial port, obeys words on the second, and echoes on TCP port 7.
package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "testguest is the first process of a test's machine")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Println("testguest:", err)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// boot tells one boot from another.
var boot = rand.Text()

func run() error {
	for kind, at := range map[string]string{"proc": "/proc", "sysfs": "/sys", "devtmpfs": "/dev"} {
		if err := unix.Mount(kind, at, kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", kind, err)
		}
	}
	if err := loadModules(); err != nil {
		return err
	}
	given, err := guestInfo()
	if err != nil {
		return err
	}
	port, err := openPort("dev.berth.guestinfo")
	if err != nil {
		return err
	}
	tell := func(key, value string) {
		line, _ := json.Marshal(map[string]string{"key": key, "value": value})
		if _, err := port.Write(append(line, '\n')); err != nil {
			fmt.Println("testguest:", err)
		}
	}
	if address := given["guestinfo.test.address"]; address != "" {
		if err := configure("eth0", address); err != nil {
			return err
		}
		go echo()
		tell("guestinfo.ip", strings.Split(address, "/")[0])
	}
	tell("guestinfo.test.greeting", given["guestinfo.test.greeting"])
	tell("guestinfo.test.disks", strings.Join(disks(), " "))
	line, err := openLine()
	if err != nil {
		return err
	}
	go obey(line, tell)
	fmt.Println("testguest: up")
	tell("guestinfo.test.boot", boot)
	for n := 0; ; n++ {
		fmt.Printf("count %s %d\n", boot, n)
		time.Sleep(10 * time.Millisecond)
	}
}

func guestInfo() (map[string]string, error) {
	content, err := os.ReadFile("/sys/firmware/qemu_fw_cfg/by_name/opt/dev.berth/guestinfo/raw")
	if err != nil {
		return nil, err
	}
	var values map[string]string
	return values, json.Unmarshal(content, &values)
}

// openPort waits for a port's device: the kernel makes it when the host has told its name.
func openPort(name string) (*os.File, error) {
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		files, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
		for _, file := range files {
			if text(file) == name {
				return os.OpenFile(filepath.Join("/dev", filepath.Base(filepath.Dir(file))), os.O_RDWR, 0)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil, fmt.Errorf("no port is named %s", name)
}

// disks gives each SCSI disk's channel, target and unit, serial number, size in bytes, and whether its first bytes are what a test put there.
func disks() []string {
	var all []string
	paths, _ := filepath.Glob("/sys/block/sd*")
	for _, path := range paths {
		device, _ := filepath.EvalSymlinks(path + "/device")
		_, place, _ := strings.Cut(filepath.Base(device), ":") // after the number of the SCSI host, which is any
		serial := "-"
		if page, err := os.ReadFile(path + "/device/vpd_pg80"); err == nil && len(page) > 4 {
			serial = strings.TrimSpace(string(page[4:]))
		}
		begin := make([]byte, 8)
		if file, err := os.OpenFile("/dev/"+filepath.Base(path), os.O_RDWR, 0); err == nil {
			_, _ = file.ReadAt(begin, 0)
			// What is written is to be seen by nobody when the disk is nonpersistent.
			_, _ = file.WriteAt([]byte("WRITTEN!"), 4096)
			_ = file.Sync()
			file.Close()
		}
		all = append(all, fmt.Sprintf("%s=%s,%s,%s", place, serial, text(path+"/size"), strings.Trim(string(begin), "\x00")))
	}
	slices.Sort(all)
	return all
}

// openLine opens the second serial port for bytes as they are.
func openLine() (*os.File, error) {
	line, err := os.OpenFile("/dev/ttyS1", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	raw := unix.Termios{Iflag: unix.IGNPAR, Cflag: unix.B115200 | unix.CS8 | unix.CREAD | unix.CLOCAL}
	raw.Cc[unix.VMIN] = 1
	return line, unix.IoctlSetTermios(int(line.Fd()), unix.TCSETS, &raw)
}

// obey does what the line says, a word a line, and answers.
func obey(port *os.File, tell func(key, value string)) {
	lines := bufio.NewScanner(port)
	for lines.Scan() {
		switch word := strings.TrimSpace(lines.Text()); word {
		case "poweroff":
			tell("guestinfo.test.last", "poweroff")
			unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
		case "reboot":
			unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
		default:
			fmt.Fprintf(port, "%s %s\n", boot, word)
		}
	}
}

func configure(name, address string) error {
	prefix, err := netip.ParsePrefix(address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := request.SetInet4Addr(prefix.Addr().AsSlice()); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := request.SetInet4Addr(net.CIDRMask(prefix.Bits(), 32)); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFNETMASK, request); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

func echo() {
	listener, err := net.Listen("tcp", ":7")
	if err != nil {
		fmt.Println("testguest:", err)
		return
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			_, _ = io.Copy(connection, connection)
		}()
	}
}

func text(file string) string {
	content, _ := os.ReadFile(file)
	return strings.TrimSpace(string(content))
}
