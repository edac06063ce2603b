package machines

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Networks gives every port group a bridge of its own and every NIC a tap on it, in the network namespace of this process. It needs root.
// A tap lives as long as its QEMU.
type Networks struct {
	scope     string
	addresses map[string]netip.Prefix
	own       map[string]string

	mu      sync.Mutex
	bridges map[string]string
	taps    int
	// record is the file with the names of the bridges; none when empty.
	record string
}

// NewNetworks makes networks whose bridges have names that begin otherwise in another scope, so that several labs can share a machine. A
// port group with an IPv4 prefix in addresses, keyed as NIC.Network, has this machine on it with that address.
//
// One in own has this machine on it by an interface of the given name, with the link-local IPv6 address that the kernel makes, and with nobody
// else: its VMs reach this machine and not each other, as in an isolated private VLAN.
func NewNetworks(scope string, addresses map[string]netip.Prefix, own map[string]string) (*Networks, error) {
	for network, prefix := range addresses {
		if !prefix.Addr().Is4() {
			return nil, fmt.Errorf("the network %s has the address %s: it must be IPv4", network, prefix)
		}
	}
	for network := range own {
		if _, both := addresses[network]; both {
			return nil, fmt.Errorf("the network %s has an address, and an interface of its own: choose one", network)
		}
	}
	return &Networks{scope: scope, addresses: addresses, own: own, bridges: map[string]string{}}, nil
}

// Recover removes the bridges that a file names, of networks whose process was killed, and keeps those of these networks there. It is
// called before anything else.
func (n *Networks) Recover(record string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.record = record
	content, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, name := range strings.Fields(string(content)) {
		if _, err := net.InterfaceByName(name); err != nil {
			continue // gone already
		}
		if err := removeBridge(name); err != nil {
			return fmt.Errorf("remove the bridge %s of an earlier run: %w", name, err)
		}
	}
	return n.write()
}

// write keeps the names of the bridges.
func (n *Networks) write() error {
	if n.record == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(n.record), 0o700); err != nil {
		return err
	}
	var text strings.Builder
	for name := range n.bridges {
		fmt.Fprintln(&text, name)
	}
	return os.WriteFile(n.record, []byte(text.String()), 0o600)
}

// Bridge gives the name of a port group's bridge, whether there is one yet or not. Linux allows 15 characters, so it is a hash if nobody chose.
func (n *Networks) Bridge(network string) string {
	if own, ok := n.own[network]; ok {
		return own
	}
	return n.name("vb", network)
}

func (n *Networks) name(kind, what string) string {
	sum := sha256.Sum256([]byte(n.scope + "\x00" + what))
	return kind + hex.EncodeToString(sum[:])[:15-len(kind)]
}

// Join puts this machine on the port groups for which it has addresses or interfaces, before a VM is there.
func (n *Networks) Join() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, network := range slices.Concat(slices.Collect(maps.Keys(n.addresses)), slices.Collect(maps.Keys(n.own))) {
		if _, err := n.ensure(network); err != nil {
			return fmt.Errorf("the bridge of the network %s: %w", network, err)
		}
	}
	return nil
}

// tap makes a tap on a port group's bridge.
func (n *Networks) tap(network string) (*os.File, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	bridge, err := n.ensure(network)
	if err != nil {
		return nil, fmt.Errorf("the bridge of the network %s: %w", network, err)
	}
	n.taps++
	name := n.name("vt", fmt.Sprintf("%d %d", os.Getpid(), n.taps))
	file, err := openTap(name)
	if err != nil {
		return nil, fmt.Errorf("a tap on the network %s: %w", network, err)
	}
	err = errors.Join(quiet(name), addToBridge(bridge, name))
	if _, apart := n.own[network]; apart && err == nil {
		err = os.WriteFile(filepath.Join("/sys/class/net", name, "brport/isolated"), []byte("1"), 0)
	}
	err = errors.Join(err, up(name))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("a tap on the network %s: %w", network, err)
	}
	return file, nil
}

// ensure gives the name of a port group's bridge and makes it if needed. One that is left of another run is made anew.
func (n *Networks) ensure(network string) (string, error) {
	name := n.Bridge(network)
	if n.bridges[name] != "" {
		return name, nil
	}
	own := n.own[network] != ""
	if !own {
		_ = removeBridge(name)
	}
	n.bridges[name] = network
	if err := n.write(); err != nil {
		delete(n.bridges, name)
		return "", err
	}
	if err := bridgeControl(unix.SIOCBRADDBR, name); err != nil {
		delete(n.bridges, name)
		return "", err
	}
	configure := quiet
	if own {
		configure = linkLocalAlone
	}
	if err := configure(name); err != nil {
		return "", err
	}
	if prefix, ok := n.addresses[network]; ok {
		if err := setAddress(name, prefix); err != nil {
			return "", err
		}
	}
	return name, up(name)
}

// Close removes the bridges.
func (n *Networks) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var failures []error
	for name := range n.bridges {
		if err := removeBridge(name); err != nil {
			failures = append(failures, fmt.Errorf("remove the bridge %s: %w", name, err))
		}
	}
	clear(n.bridges)
	return errors.Join(append(failures, n.write())...)
}

func removeBridge(name string) error {
	if err := setFlags(name, 0, unix.IFF_UP); err != nil {
		return err
	}
	return bridgeControl(unix.SIOCBRDELBR, name)
}

// quiet keeps this machine's own IPv6 off an interface; in a kernel without IPv6 it is.
func quiet(name string) error {
	err := os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", name, "disable_ipv6"), []byte("1"), 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// linkLocalAlone lets an interface have the address of the kernel's making, at once and whatever somebody announces. Its MAC address stays what it
// is: a bridge's own follows its ports, and who knows it would lose it.
func linkLocalAlone(name string) error {
	for _, setting := range []string{"disable_ipv6", "accept_dad", "accept_ra"} {
		if err := os.WriteFile(filepath.Join("/proc/sys/net/ipv6/conf", name, setting), []byte("0"), 0); err != nil {
			return err
		}
	}
	bridge, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	return setHardwareAddress(name, bridge.HardwareAddr)
}

// setHardwareAddress makes an interface request with what unix.Ifreq has no method for.
func setHardwareAddress(name string, address net.HardwareAddr) error {
	return control(name, func(fd int, _ *unix.Ifreq) error {
		var request [40]byte
		copy(request[:unix.IFNAMSIZ-1], name)
		binary.NativeEndian.PutUint16(request[unix.IFNAMSIZ:], unix.ARPHRD_ETHER)
		copy(request[unix.IFNAMSIZ+2:], address)
		_, _, e := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFHWADDR, uintptr(unsafe.Pointer(&request)))
		if e != 0 {
			return os.NewSyscallError("SIOCSIFHWADDR", e)
		}
		return nil
	})
}

func openTap(name string) (*os.File, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err}
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("TUNSETIFF", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

func up(name string) error { return setFlags(name, unix.IFF_UP, 0) }

func setFlags(name string, set, remove uint16) error {
	return control(name, func(fd int, request *unix.Ifreq) error {
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
			return os.NewSyscallError("SIOCGIFFLAGS", err)
		}
		request.SetUint16(request.Uint16()&^remove | set)
		return os.NewSyscallError("SIOCSIFFLAGS", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request))
	})
}

func setAddress(name string, prefix netip.Prefix) error {
	return control(name, func(fd int, request *unix.Ifreq) error {
		if err := request.SetInet4Addr(prefix.Addr().AsSlice()); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request); err != nil {
			return os.NewSyscallError("SIOCSIFADDR", err)
		}
		if err := request.SetInet4Addr(net.CIDRMask(prefix.Bits(), 32)); err != nil {
			return err
		}
		return os.NewSyscallError("SIOCSIFNETMASK", unix.IoctlIfreq(fd, unix.SIOCSIFNETMASK, request))
	})
}

func addToBridge(bridge, name string) error {
	port, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	return control(bridge, func(fd int, request *unix.Ifreq) error {
		request.SetUint32(uint32(port.Index))
		return os.NewSyscallError("SIOCBRADDIF", unix.IoctlIfreq(fd, unix.SIOCBRADDIF, request))
	})
}

// control gives a socket for requests about an interface.
func control(name string, do func(fd int, request *unix.Ifreq) error) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return do(fd, request)
}

// bridgeControl makes or removes a bridge. These two requests take a bare name, at which an interface request begins.
func bridgeControl(command uint, name string) error {
	return control(name, func(fd int, request *unix.Ifreq) error {
		return os.NewSyscallError("bridge", unix.IoctlIfreq(fd, command, request))
	})
}
