package machines

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	sectorSize = 512
	// descriptorLimit is more than any descriptor has: what is longer is a disk's content.
	descriptorLimit = 64 << 10
)

// sparseMagic begins a disk in VMware's sparse or stream-optimized format.
var sparseMagic = []byte("KDMV")

// descriptor is what a VMDK's descriptor file says.
type descriptor struct {
	// extent is the file with the disk's bytes, relative to the descriptor; size is in bytes.
	extent string
	size   int64
	// uuid is the disk's own, as 32 hexadecimal digits, or empty.
	uuid string
}

// readDisk reads the descriptor at a path and checks that its extent is there and of its size. It gives the extent's path.
func readDisk(path string) (descriptor, string, error) {
	file, err := os.Open(path)
	if err != nil {
		return descriptor{}, "", err
	}
	defer file.Close()
	d, err := parseDescriptor(file)
	if err != nil {
		return descriptor{}, "", err
	}
	extent := filepath.Join(filepath.Dir(path), d.extent)
	info, err := os.Stat(extent)
	if err != nil {
		return descriptor{}, "", fmt.Errorf("the extent %s: %w", d.extent, err)
	}
	if info.Size() < d.size {
		return descriptor{}, "", fmt.Errorf("the extent %s has %d bytes, and its descriptor says %d", d.extent, info.Size(), d.size)
	}
	return d, extent, nil
}

// parseDescriptor reads a descriptor with one flat extent, which is what a host's own disks have.
func parseDescriptor(reader io.Reader) (descriptor, error) {
	content, err := io.ReadAll(io.LimitReader(reader, descriptorLimit+1))
	switch {
	case err != nil:
		return descriptor{}, err
	case bytes.HasPrefix(content, sparseMagic):
		return descriptor{}, errors.New("the disk is sparse or stream-optimized: a host runs only flat disks; import it through a lease or convert it")
	case len(content) > descriptorLimit:
		return descriptor{}, errors.New("no VMDK descriptor: it is too long for one")
	case !bytes.Contains(content, []byte("# Disk DescriptorFile")):
		return descriptor{}, errors.New(`no VMDK descriptor: "# Disk DescriptorFile" is missing`)
	}
	var d descriptor
	scanner := bufio.NewScanner(bytes.NewReader(content))
	for scanner.Scan() {
		if err := d.line(strings.TrimSpace(scanner.Text())); err != nil {
			return descriptor{}, err
		}
	}
	if err := scanner.Err(); err != nil {
		return descriptor{}, err
	}
	if d.extent == "" {
		return descriptor{}, errors.New("the VMDK descriptor names no extent")
	}
	return d, nil
}

func (d *descriptor) line(line string) error {
	if line == "" || strings.HasPrefix(line, "#") {
		return nil
	}
	switch word, _, _ := strings.Cut(line, " "); word {
	case "RW", "RDONLY", "NOACCESS":
		return d.addExtent(line)
	}
	key, value, ok := strings.Cut(line, "=")
	if !ok {
		return fmt.Errorf("the VMDK descriptor has a line that is none of its format: %q", line)
	}
	value = strings.Trim(strings.TrimSpace(value), `"`)
	switch strings.TrimSpace(key) {
	case "parentFileNameHint":
		return fmt.Errorf("the disk is a delta of %s: the lab runs only base disks", value)
	case "encryptionKeys":
		return errors.New("the disk is encrypted: the lab has no keys")
	case "ddb.uuid":
		d.uuid = digits(value)
	}
	return nil
}

// addExtent takes a line like: RW 2048 VMFS "disk-flat.vmdk" 0.
func (d *descriptor) addExtent(line string) error {
	if d.extent != "" {
		return errors.New("the disk has several extents: the lab runs disks of one flat extent")
	}
	head, rest, quoted := strings.Cut(line, `"`)
	name, offset, closed := strings.Cut(rest, `"`)
	fields := strings.Fields(head)
	if !quoted || !closed || len(fields) != 3 || name == "" {
		return fmt.Errorf("the VMDK descriptor has an extent that is none of its format: %q", line)
	}
	sectors, err := strconv.ParseInt(fields[1], 10, 64)
	switch {
	case err != nil || sectors <= 0 || sectors > 1<<52:
		return fmt.Errorf("the VMDK descriptor has an extent of %q sectors", fields[1])
	case fields[0] != "RW":
		return fmt.Errorf("the VMDK descriptor has an extent with the access %s: it must be RW", fields[0])
	case fields[2] != "VMFS" && fields[2] != "FLAT":
		return fmt.Errorf("the VMDK descriptor has an extent of the type %s: the lab runs flat ones, VMFS or FLAT", fields[2])
	case strings.TrimSpace(offset) != "" && strings.TrimSpace(offset) != "0":
		return fmt.Errorf("the VMDK descriptor has an extent that begins at %s: it must be 0", strings.TrimSpace(offset))
	case filepath.Base(name) != name:
		return fmt.Errorf("the VMDK descriptor has the extent %q outside its folder", name)
	}
	d.extent, d.size = name, sectors*sectorSize
	return nil
}

// digits gives the hexadecimal digits of a UUID however it is written.
func digits(uuid string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(uuid))
}
