package boot

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// address is one of IPv4 (4 bytes) or IPv6 (16 bytes). It is read here because the packages net and net/netip are initialised late, see
// package pid1.
type address []byte

// prefix is an address and the length of its network's.
type prefix struct {
	address address
	bits    int
}

func parsePrefix(text string) (prefix, error) {
	first, length, found := strings.Cut(text, "/")
	parsed, err := parseAddress(first)
	if err != nil {
		return prefix{}, err
	}
	bits, err := strconv.ParseUint(length, 10, 8)
	if !found || err != nil || int(bits) > 8*len(parsed) {
		return prefix{}, fmt.Errorf("%q is not an address with the length of its prefix", text)
	}
	return prefix{parsed, int(bits)}, nil
}

func parseAddress(text string) (address, error) {
	parsed, ok := address(nil), false
	if strings.Contains(text, ":") {
		parsed, ok = parseIPv6(text)
	} else {
		parsed, ok = parseIPv4(text)
	}
	if !ok {
		return nil, fmt.Errorf("%q is not an IP address", text)
	}
	return parsed, nil
}

func parseIPv4(text string) (address, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 4 {
		return nil, false
	}
	parsed := make(address, 0, 4)
	for _, part := range parts {
		number, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return nil, false
		}
		parsed = append(parsed, byte(number))
	}
	return parsed, true
}

// parseIPv6 reads groups of hexadecimal digits, of which the last two may be written as IPv4 and a run of zeros as "::".
func parseIPv6(text string) (address, bool) {
	before, after, cut := strings.Cut(text, "::")
	head, ok := parseGroups(before)
	tail, tailOK := parseGroups(after)
	size := len(head) + len(tail)
	if !ok || !tailOK || cut && size > 14 || !cut && size != 16 {
		return nil, false
	}
	if cut && strings.Contains(before, ".") {
		return nil, false
	}
	return append(append(head, make(address, 16-size)...), tail...), true
}

func parseGroups(text string) (address, bool) {
	if text == "" {
		return nil, true
	}
	var parsed address
	groups := strings.Split(text, ":")
	for i, group := range groups {
		if i == len(groups)-1 && strings.Contains(group, ".") {
			last, ok := parseIPv4(group)
			return append(parsed, last...), ok
		}
		number, err := strconv.ParseUint(group, 16, 16)
		if err != nil || len(group) > 4 {
			return nil, false
		}
		parsed = append(parsed, byte(number>>8), byte(number))
	}
	return parsed, true
}

// parseMAC reads six bytes in hexadecimal with colons between.
func parseMAC(text string) ([]byte, error) {
	mac, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(text) != 17 || strings.Count(text, ":") != 5 || len(mac) != 6 {
		return nil, fmt.Errorf("%q is not a MAC address", text)
	}
	for i := 2; i < len(text); i += 3 {
		if text[i] != ':' {
			return nil, fmt.Errorf("%q is not a MAC address", text)
		}
	}
	return mac, nil
}
