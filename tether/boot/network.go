package boot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ConfigureNetwork brings the loopback and every configured interface up.
func ConfigureNetwork(interfaces []Interface) error {
	n, err := openNetlink()
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.setLink(1, 0); err != nil {
		return fmt.Errorf("bring the loopback up: %w", err)
	}
	for _, i := range interfaces {
		if err := n.configure(i); err != nil {
			return fmt.Errorf("configure the interface %s: %w", i.MAC, err)
		}
	}
	// As container runtimes have it: any process may ping and listen on low ports.
	for file, value := range map[string]string{
		ProcDirectory + "/sys/net/ipv4/ping_group_range":           "0 2147483647",
		ProcDirectory + "/sys/net/ipv4/ip_unprivileged_port_start": "0",
	} {
		if err := os.WriteFile(file, []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

func findInterface(mac string) (int, error) {
	index := 0
	err := Await(deviceDeadline, func() error {
		var found string
		err := each("/sys/class/net", "address", func(name, value string) bool {
			if strings.EqualFold(value, mac) {
				found = name
			}
			return found != ""
		})
		if err != nil {
			return err
		}
		if found == "" {
			return errors.New("no interface has this MAC address")
		}
		number, err := os.ReadFile("/sys/class/net/" + found + "/ifindex")
		if err != nil {
			return err
		}
		index, err = strconv.Atoi(strings.TrimSpace(string(number)))
		return err
	})
	return index, err
}

func (n *netlink) configure(i Interface) error {
	index, err := findInterface(i.MAC)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(i.Addresses, func(text string) bool { return strings.Contains(text, ":") }) {
		// A kernel without IPv6 refuses, and has nothing to be kept from.
		_ = n.request(unix.RTM_NEWLINK, 0, withoutIPv6(index))
	}
	if err := n.setLink(index, i.MTU); err != nil {
		return fmt.Errorf("bring it up: %w", err)
	}
	for _, address := range i.Addresses {
		prefix, err := parsePrefix(address)
		if err != nil {
			return err
		}
		if err := n.addAddress(index, prefix); err != nil {
			return fmt.Errorf("add the address %s: %w", address, err)
		}
	}
	if i.Gateway == "" {
		return nil
	}
	gateway, err := parseAddress(i.Gateway)
	if err != nil {
		return err
	}
	if err := n.addDefaultRoute(index, gateway); err != nil {
		return fmt.Errorf("add the gateway %s: %w", i.Gateway, err)
	}
	return nil
}

// netlink is a route socket; one request at a time.
type netlink struct {
	fd       int
	sequence uint32
}

func openNetlink() (*netlink, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	return &netlink{fd: fd}, nil
}

func (n *netlink) close() { _ = unix.Close(n.fd) }

func (n *netlink) setLink(index, mtu int) error {
	header := unix.IfInfomsg{Family: unix.AF_UNSPEC, Index: int32(index), Flags: unix.IFF_UP, Change: unix.IFF_UP}
	body := structBytes(&header)
	if mtu > 0 {
		body = append(body, attribute(unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, uint32(mtu)))...)
	}
	return n.request(unix.RTM_NEWLINK, 0, body)
}

// moveLink gives an interface to the network namespace that the descriptor is of.
func (n *netlink) moveLink(index, namespace int) error {
	body := structBytes(&unix.IfInfomsg{Family: unix.AF_UNSPEC, Index: int32(index)})
	body = append(body, attribute(unix.IFLA_NET_NS_FD, binary.NativeEndian.AppendUint32(nil, uint32(namespace)))...)
	return n.request(unix.RTM_NEWLINK, 0, body)
}

// withoutIPv6 asks for no address of the kernel's own making on an interface. To make sure that a link-local address has no double takes the
// kernel a while, in which the container's process is to start.
func withoutIPv6(index int) []byte {
	const (
		inet6AddrGenMode     = 8 // IFLA_INET6_ADDR_GEN_MODE
		inet6AddrGenModeNone = 1 // IN6_ADDR_GEN_MODE_NONE
	)
	mode := attribute(unix.AF_INET6, attribute(inet6AddrGenMode, []byte{inet6AddrGenModeNone}))
	return append(structBytes(&unix.IfInfomsg{Family: unix.AF_UNSPEC, Index: int32(index)}), attribute(unix.IFLA_AF_SPEC, mode)...)
}

func (n *netlink) addAddress(index int, p prefix) error {
	header := unix.IfAddrmsg{Family: p.address.family(), Prefixlen: uint8(p.bits), Index: uint32(index)}
	if p.address.is6() {
		// The address manager makes sure that there is no duplicate.
		header.Flags = unix.IFA_F_NODAD
	}
	body := append(structBytes(&header), attribute(unix.IFA_LOCAL, p.address)...)
	body = append(body, attribute(unix.IFA_ADDRESS, p.address)...)
	if !p.address.is6() && p.bits < 31 {
		body = append(body, attribute(unix.IFA_BROADCAST, broadcast(p))...)
	}
	return n.request(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, body)
}

func broadcast(p prefix) []byte {
	word := binary.BigEndian.Uint32(p.address) | (1<<(32-p.bits) - 1)
	return binary.BigEndian.AppendUint32(nil, word)
}

func (n *netlink) addDefaultRoute(index int, gateway address) error {
	header := unix.RtMsg{
		Family: gateway.family(), Table: unix.RT_TABLE_MAIN, Protocol: unix.RTPROT_BOOT, Scope: unix.RT_SCOPE_UNIVERSE,
		Type: unix.RTN_UNICAST, Flags: unix.RTNH_F_ONLINK,
	}
	body := append(structBytes(&header), attribute(unix.RTA_GATEWAY, gateway)...)
	body = append(body, attribute(unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))...)
	return n.request(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, body)
}

func (a address) is6() bool { return len(a) == 16 }

func (a address) family() uint8 {
	if a.is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}

// request sends one message and waits for its acknowledgement.
func (n *netlink) request(kind uint16, flags uint16, body []byte) error {
	n.sequence++
	header := unix.NlMsghdr{
		Len: uint32(unix.SizeofNlMsghdr + len(body)), Type: kind,
		Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK | flags, Seq: n.sequence,
	}
	message := append(structBytes(&header), body...)
	if err := unix.Sendto(n.fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	size, _, err := unix.Recvfrom(n.fd, answer, 0)
	if err != nil {
		return err
	}
	if size < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return errors.New("netlink: unexpected answer")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

func structBytes[T any](value *T) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(value)), unsafe.Sizeof(*value))...)
}

func attribute(kind uint16, value []byte) []byte {
	size := unix.SizeofRtAttr + len(value)
	b := binary.NativeEndian.AppendUint16(nil, uint16(size))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%unix.RTA_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}
