package boot

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

const goodConfig = `{"schema":1,"id":"vm-1","identity":{"certificate":"C","key":"K","authority":"A"},"hostname":"web-0",
"interfaces":[{"mac":"52:54:00:12:34:56","addresses":["10.222.0.5/24","fd00::5/64"],"gateway":"10.222.0.1","mtu":1500}],
"disks":[{"serial":"image","role":"image"},{"serial":"scratch","role":"scratch"}],"controlMac":"00:50:56:12:34:56","unknown":true}`

func TestConfigIsRead(t *testing.T) {
	config, err := ParseConfig([]byte(goodConfig))
	if err != nil {
		t.Fatal(err)
	}
	if serial, ok := config.Serial(RoleScratch); !ok || serial != "scratch" {
		t.Errorf("scratch is %q, %v", serial, ok)
	}
	if config.ControlMAC != "00:50:56:12:34:56" {
		t.Errorf("control interface %q", config.ControlMAC)
	}
	if got := config.Addresses(); !slices.Equal(got, []string{"10.222.0.5", "fd00::5"}) {
		t.Errorf("addresses %v", got)
	}
}

func TestBadConfigNamesTheField(t *testing.T) {
	tests := []struct{ replace, by, want string }{
		{`"schema":1`, `"schema":2`, "schema is 2"},
		{`"id":"vm-1",`, ``, "id is missing"},
		{`"key":"K"`, `"key":""`, "identity needs"},
		{`"role":"image"`, `"role":"other"`, "role image"},
		{`52:54:00:12:34:56`, `52:54`, "interfaces[0].mac"},
		{`10.222.0.5/24`, `10.222.0.5`, "interfaces[0].addresses"},
		{`"gateway":"10.222.0.1"`, `"gateway":"x"`, "interfaces[0].gateway"},
		{`"hostname"`, `"memoryLimit":-1,"hostname"`, "memoryLimit"},
		{`"mtu":1500`, `"mtu":-1`, "interfaces[0].mtu"},
		{`00:50:56:12:34:56`, `00:50:56`, "controlMac"},
		{`00:50:56:12:34:56`, `52:54:00:12:34:56`, "controlMac is that of interfaces[0]"},
		{`{"schema"`, `["schema"`, "not valid JSON"},
	}
	for _, test := range tests {
		_, err := ParseConfig([]byte(strings.Replace(goodConfig, test.replace, test.by, 1)))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.by, err, test.want)
		}
	}
}

func TestNetlinkAttributesAreAligned(t *testing.T) {
	if got, want := attribute(3, []byte{1, 2, 3, 4, 5}), []byte{9, 0, 3, 0, 1, 2, 3, 4, 5, 0, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := broadcast(prefix{address{10, 222, 0, 5}, 20}); !bytes.Equal(got, []byte{10, 222, 15, 255}) {
		t.Errorf("broadcast %v", got)
	}
}

func TestLinkLocalAddressFollowsFromTheMAC(t *testing.T) {
	mac, _ := parseMAC("00:50:56:12:34:56")
	if want, _ := parseAddress("fe80::250:56ff:fe12:3456"); !bytes.Equal(linkLocal(mac), want) {
		t.Errorf("got %v, want %v", linkLocal(mac), want)
	}
}
