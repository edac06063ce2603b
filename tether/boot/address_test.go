package boot

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
)

var addresses = []string{
	"10.222.0.5", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "1..2.3", "+1.2.3.4", "", "x", "1.2.3.4 ",
	"::", "::1", "1::", "fd00::5", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", ":1", "1:", ":::",
	"1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1.2.3.4", "::ffff:10.0.0.1", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4",
	"1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", "+1::", "::-1", "0001::", "00001::", "FD00::aBcD", "1.2.3.4:5::",
}

func TestAddressesAreThoseOfNetip(t *testing.T) {
	for _, text := range addresses {
		sameAddress(t, text)
	}
}

func FuzzAddress(f *testing.F) {
	for _, text := range addresses {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { sameAddress(t, text) })
}

func sameAddress(t *testing.T, text string) {
	t.Helper()
	want, wantErr := netip.ParseAddr(text)
	got, err := parseAddress(text)
	// An address with a zone has no place on an interface.
	if refused := wantErr != nil || want.Zone() != ""; (err != nil) != refused {
		t.Errorf("%q: %v, netip has %v", text, err, wantErr)
	} else if !refused && !bytes.Equal(got, want.AsSlice()) {
		t.Errorf("%q is %v, netip has %v", text, got, want.AsSlice())
	}
}

func TestPrefixesAreThoseOfNetip(t *testing.T) {
	for _, text := range []string{"10.0.0.1/24", "10.0.0.1/0", "10.0.0.1/32", "10.0.0.1/33", "10.0.0.1", "10.0.0.1/", "10.0.0.1/-1", "fd00::5/64", "fd00::5/128", "fd00::5/129", "/1", "x/1"} {
		want, wantErr := netip.ParsePrefix(text)
		got, err := parsePrefix(text)
		if (err != nil) != (wantErr != nil) {
			t.Errorf("%q: %v, netip has %v", text, err, wantErr)
		} else if err == nil && (got.bits != want.Bits() || !bytes.Equal(got.address, want.Addr().AsSlice())) {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestMACAddresses(t *testing.T) {
	for _, text := range []string{"52:54:00:12:34:56", "52:54:00:ab:CD:ef"} {
		want, err := net.ParseMAC(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseMAC(text); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "52:54", "52-54-00-12-34-56", "5:254:00:12:34:56", "52:54:00:12:34:5g", "52:54:00:12:34:56:78", "525400123456:::::"} {
		if got, err := parseMAC(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
