package user

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

var image = fstest.MapFS{
	"etc/passwd": {Data: []byte("root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\nalice:x:1000:1001:Alice:/home/alice:/bin/sh\n" +
		"2000:x:3000:3000::/home/number:/bin/sh\nnohome:x:70:70\n")},
	"etc/group": {Data: []byte("root:x:0:\nusers:x:100:bob,alice\nstaff:x:50:\nwheel:x:10:root,alice\nbad:x:y:alice\n")},
}

func TestLookup(t *testing.T) {
	tests := []struct {
		spec     string
		uid, gid uint32
		groups   []uint32
		home     string
	}{
		{"", 0, 0, []uint32{10}, "/root"},
		{"root", 0, 0, []uint32{10}, "/root"},
		{"0", 0, 0, []uint32{10}, "/root"},
		{"alice", 1000, 1001, []uint32{100, 10}, "/home/alice"},
		{"1000", 1000, 1001, []uint32{100, 10}, "/home/alice"},
		{"alice:staff", 1000, 50, nil, "/home/alice"},
		{"alice:77", 1000, 77, nil, "/home/alice"},
		{"1000:1000", 1000, 1000, nil, "/home/alice"},
		{"4242", 4242, 0, nil, "/"},
		{"4242:4243", 4242, 4243, nil, "/"},
		{"2000", 3000, 3000, nil, "/home/number"}, // A name of digits is a name.
		{"nohome", 70, 70, nil, "/"},
		{":staff", 0, 50, nil, "/root"},
	}
	for _, test := range tests {
		got, err := Lookup(test.spec, image)
		if err != nil {
			t.Errorf("%q: %v", test.spec, err)
			continue
		}
		if got.Uid != test.uid || got.Gid != test.gid || !slices.Equal(got.Groups, test.groups) || got.Home != test.home {
			t.Errorf("%q is %+v, want %+v", test.spec, got, test)
		}
	}
}

func TestLookupWithoutFiles(t *testing.T) {
	got, err := Lookup("1000:1000", fstest.MapFS{})
	if err != nil || got.Uid != 1000 || got.Gid != 1000 || got.Home != "/" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestLookupTellsWhatIsMissing(t *testing.T) {
	tests := map[string]string{
		"bob":        "unable to find user bob: no matching entries in passwd file",
		"alice:bobs": "unable to find group bobs: no matching entries in group file",
		"-1":         "unable to find user -1: no matching entries in passwd file",
		"4294967296": "unable to find user 4294967296: no matching entries in passwd file",
		"alice:-1":   "unable to find group -1: no matching entries in group file",
	}
	for spec, want := range tests {
		_, err := Lookup(spec, image)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", spec, err, want)
		}
	}
}
