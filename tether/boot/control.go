package boot

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// ControlPort is the TCP port on which the control plane finds the tether at the control interface.
const ControlPort = 7002

const (
	// backlog is how many connections may wait for the tether.
	backlog = 16
	// unanswered is how long what was sent may stay so until a connection ends, in milliseconds: as long as a session over a serial port is kept
	// without a connection.
	unanswered = 60_000
)

// ListenControl moves the interface with the MAC address into a network namespace of its own, gives it the link-local address that follows from
// that, and listens at ControlPort there. The namespace lives as long as the socket, and no process is ever in it.
func ListenControl(mac string) (*os.File, error) {
	socket, err := listenControl(mac)
	if err != nil {
		return nil, fmt.Errorf("the control interface %s: %w", mac, err)
	}
	return os.NewFile(uintptr(socket), "control interface"), nil
}

func listenControl(mac string) (socket int, err error) {
	hardware, err := parseMAC(mac)
	if err != nil {
		return -1, err
	}
	index, err := findInterface(mac)
	if err != nil {
		return -1, err
	}
	// Of the namespace that the interface is in now.
	outer, err := openNetlink()
	if err != nil {
		return -1, err
	}
	defer outer.close()
	// The namespace is this thread's alone; a thread that is locked begets none.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := unix.Open(ProcDirectory+"/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(home)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("make a network namespace: %w", err)
	}
	// Whoever fails here ends the VM, and so does a thread that cannot go back.
	defer func() { err = errors.Join(err, unix.Setns(home, unix.CLONE_NEWNET)) }()
	inner, err := openNetlink()
	if err != nil {
		return -1, err
	}
	defer inner.close()
	if err := takeInterface(outer, inner, index, linkLocal(hardware)); err != nil {
		return -1, err
	}
	return listen(linkLocal(hardware), index)
}

// takeInterface moves an interface into this thread's namespace, and gives it its address and no other.
func takeInterface(outer, inner *netlink, index int, own address) error {
	// It has these from when it comes: no address of the kernel's making, and none that somebody announces.
	for _, setting := range []struct{ name, value string }{{"addr_gen_mode", "1"}, {"accept_ra", "0"}} {
		if err := os.WriteFile(ProcDirectory+"/sys/net/ipv6/conf/default/"+setting.name, []byte(setting.value), 0); err != nil {
			return err
		}
	}
	here, err := unix.Open(ProcDirectory+"/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(here)
	// It keeps its index: the loopback has 1, and nothing else is there.
	if err := outer.moveLink(index, here); err != nil {
		return fmt.Errorf("move it: %w", err)
	}
	if err := inner.setLink(index, 0); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	if err := inner.addAddress(index, prefix{own, 64}); err != nil {
		return fmt.Errorf("add its address: %w", err)
	}
	return nil
}

func listen(own address, index int) (int, error) {
	socket, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	// Connections inherit it.
	err = unix.SetsockoptInt(socket, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, unanswered)
	if err == nil {
		err = unix.Bind(socket, &unix.SockaddrInet6{Addr: [16]byte(own), Port: ControlPort, ZoneId: uint32(index)})
	}
	if err == nil {
		err = unix.Listen(socket, backlog)
	}
	if err != nil {
		unix.Close(socket)
		return -1, fmt.Errorf("listen: %w", err)
	}
	return socket, nil
}

// linkLocal gives the IPv6 address that follows from a MAC address (RFC 4291, appendix A).
func linkLocal(mac []byte) address {
	return address{
		0xfe, 0x80, 0, 0, 0, 0, 0, 0,
		mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5],
	}
}
