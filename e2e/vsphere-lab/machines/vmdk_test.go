package machines

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

const goodDescriptor = `# Disk DescriptorFile
version=1
CID=1c2d3e4f
parentCID=ffffffff
createType="vmfs"

# Extent description
RW 4096 VMFS "disk-flat.vmdk"

# The Disk Data Base
#DDB
ddb.uuid = "60 00 C2 9a 00 00 00 00-00 00 00 00 00 00 00 01"
`

func TestParseDescriptor(t *testing.T) {
	d, err := parseDescriptor(strings.NewReader(goodDescriptor))
	wanted := descriptor{extent: "disk-flat.vmdk", size: 2 << 20, uuid: "6000c29a000000000000000000000001"}
	if err != nil || d != wanted {
		t.Errorf("got %+v, %v", d, err)
	}
	d, err = parseDescriptor(strings.NewReader(strings.Replace(goodDescriptor, `VMFS "disk-flat.vmdk"`, `FLAT "a b.vmdk" 0`, 1)))
	if err != nil || d.extent != "a b.vmdk" {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestParseDescriptorRefuses(t *testing.T) {
	for wanted, text := range map[string]string{
		"stream-optimized":        "KDMV\x01\x00\x00\x00",
		"is missing":              "hello",
		"too long":                goodDescriptor + strings.Repeat("#\n", descriptorLimit),
		"names no extent":         "# Disk DescriptorFile\n",
		"several extents":         goodDescriptor + `RW 1 VMFS "x.vmdk"`,
		"delta of ../base.vmdk":   goodDescriptor + `parentFileNameHint="../base.vmdk"`,
		"encrypted":               goodDescriptor + `encryptionKeys="vmware:key/list"`,
		"none of its format":      goodDescriptor + "garbage",
		"the type VMFSSPARSE":     strings.Replace(goodDescriptor, "VMFS ", "VMFSSPARSE ", 1),
		"the access RDONLY":       strings.Replace(goodDescriptor, "RW ", "RDONLY ", 1),
		`extent of "-1" sectors`:  strings.Replace(goodDescriptor, "4096", "-1", 1),
		"begins at 63":            strings.Replace(goodDescriptor, `flat.vmdk"`, `flat.vmdk" 63`, 1),
		"outside its folder":      strings.Replace(goodDescriptor, "disk-flat", "../disk-flat", 1),
		"an extent that is none ": strings.Replace(goodDescriptor, `"disk-flat.vmdk"`, "disk-flat.vmdk", 1),
	} {
		if _, err := parseDescriptor(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("wanted an error with %q, got %v", wanted, err)
		}
	}
}

func TestReadDiskChecksExtent(t *testing.T) {
	d := newDatastore(t)
	d.write("disk.vmdk", goodDescriptor)
	if _, _, err := readDisk(d.path("disk.vmdk")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its extent: %v", err)
	}
	d.write("disk-flat.vmdk", "short")
	if _, _, err := readDisk(d.path("disk.vmdk")); err == nil || !strings.Contains(err.Error(), "has 5 bytes, and its descriptor says 2097152") {
		t.Errorf("with a short extent: %v", err)
	}
}
