package machines

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// placement says where a QEMU finds what is no hardware: its folder, and the numbers of the files that it inherits.
type placement struct {
	folder string
	// monitor and guest are connections of QMP and of the guest's port; lines are those of network serial ports by unit, and taps those of
	// NICs by device key.
	monitor, guest int
	lines, taps    map[int32]int
	// incoming makes it wait for the state of another.
	incoming bool
}

func (p placement) firmwareLog() string { return filepath.Join(p.folder, "firmware.log") }
func (p placement) guestInfo() string   { return filepath.Join(p.folder, "guestinfo.json") }
func (p placement) overlay(disk Disk) string {
	return filepath.Join(p.folder, fmt.Sprintf("disk-%d.qcow2", disk.Key))
}

// commandLine collects QEMU's arguments.
type commandLine []string

func (c *commandLine) add(arguments ...string) { *c = append(*c, arguments...) }

// device adds an option of comma-separated properties; commas in a value are doubled.
func (c *commandLine) option(name, kind string, properties ...any) {
	text := kind
	for i := 0; i+1 < len(properties); i += 2 {
		text += fmt.Sprintf(",%v=%s", properties[i], strings.ReplaceAll(fmt.Sprint(properties[i+1]), ",", ",,"))
	}
	c.add(name, text)
}

// blockdev adds a node of QEMU's block layer.
func (c *commandLine) blockdev(node map[string]any) {
	content, err := json.Marshal(node)
	if err != nil {
		panic("a block node is always valid JSON: " + err.Error())
	}
	c.add("-blockdev", string(content))
}

// arguments gives QEMU's command line for the machine. Two with the same hardware differ in nothing that the guest sees, so that a
// running one can move between them.
func (h *Hardware) arguments(p placement) []string {
	var c commandLine
	c.add("-nodefaults", "-no-user-config", "-display", "none", "-msg", "timestamp=on",
		"-M", "pc,usb=off,vmport=off", "-accel", "tcg,thread=multi", "-cpu", "max,family=26,model=2,stepping=1",
		"-smp", fmt.Sprint(h.CPUs), "-m", fmt.Sprintf("%dM", h.MemoryMebibytes), "-rtc", "base=utc",
		"-boot", "order="+h.Boot+",menu=off")
	c.option("-name", "guest="+strings.ReplaceAll(h.Name, ",", ",,"))
	c.option("-chardev", "socket", "id", "monitor", "fd", p.monitor)
	c.option("-mon", "chardev=monitor", "mode", "control")
	c.option("-chardev", "file", "id", "firmware", "path", p.firmwareLog(), "append", "on")
	c.option("-device", "isa-debugcon", "iobase", "0x402", "chardev", "firmware")
	c.option("-fw_cfg", "name="+FirmwareFile, "file", p.guestInfo())
	// Without ioeventfd what the guest has written is out when its write returns, and so before anything it writes later elsewhere.
	c.option("-device", "virtio-serial-pci", "id", "door", "ioeventfd", "off")
	c.option("-chardev", "socket", "id", "guest", "fd", p.guest)
	c.option("-device", "virtserialport", "bus", "door.0", "chardev", "guest", "name", GuestPort)
	for _, port := range h.Serials {
		port.arguments(&c, p)
	}
	for _, controller := range h.Controllers {
		c.option("-device", "pvscsi", "id", fmt.Sprintf("scsi%d", controller.Bus))
		for _, disk := range controller.Disks {
			disk.arguments(&c, p, controller.Bus)
		}
	}
	h.drives(&c)
	for _, nic := range h.NICs {
		nic.arguments(&c, p)
	}
	if p.incoming {
		c.add("-incoming", "defer")
	}
	return c
}

func (s Serial) arguments(c *commandLine, p placement) {
	id := fmt.Sprintf("serial%d", s.Unit)
	switch number, dialled := p.lines[s.Unit]; {
	case s.File != "":
		c.option("-chardev", "file", "id", id, "path", s.File, "append", "on")
	case dialled:
		c.option("-chardev", "socket", "id", id, "fd", number)
	default:
		c.option("-chardev", "null", "id", id)
	}
	c.option("-device", "isa-serial", "index", s.Unit, "chardev", id)
}

func (d Disk) arguments(c *commandLine, p placement, bus int32) {
	node := fmt.Sprintf("disk%d", d.Key)
	// Nothing here outlives the machine it runs on, so that a guest's flushes need not reach a real disk.
	cache := map[string]any{"no-flush": true}
	extent := map[string]any{
		"driver": "raw", "size": d.Size, "discard": "unmap", "cache": cache,
		"file": map[string]any{"driver": "file", "filename": d.File, "locking": "on", "discard": "unmap"},
	}
	if d.Nonpersistent {
		extent["node-name"], extent["read-only"] = node+"-base", true
		c.blockdev(extent)
		c.blockdev(map[string]any{
			"driver": "qcow2", "node-name": node, "cache": cache, "backing": node + "-base",
			"file": map[string]any{"driver": "file", "filename": p.overlay(d), "locking": "on"},
		})
	} else {
		extent["node-name"] = node
		c.blockdev(extent)
	}
	properties := []any{"bus", fmt.Sprintf("scsi%d.0", bus), "scsi-id", d.Unit, "lun", 0, "drive", node}
	if d.Serial != "" {
		properties = append(properties, "serial", d.Serial)
	}
	if d.Shared {
		properties = append(properties, "share-rw", "on")
	}
	c.option("-device", "scsi-hd", properties...)
}

func (h *Hardware) drives(c *commandLine) {
	controllers := map[int32]bool{}
	for _, drive := range h.CDROMs {
		bus, place := fmt.Sprintf("ide.%d", drive.Bus), drive.Unit
		if drive.SATA {
			if !controllers[drive.Bus] {
				controllers[drive.Bus] = true
				c.option("-device", "ahci", "id", fmt.Sprintf("sata%d", drive.Bus))
			}
			bus, place = fmt.Sprintf("sata%d.%d", drive.Bus, drive.Unit), 0
		}
		properties := []any{"bus", bus, "unit", place}
		if drive.ISO != "" {
			node := fmt.Sprintf("cd%d", drive.Key)
			c.blockdev(map[string]any{
				"driver": "raw", "node-name": node, "read-only": true,
				"file": map[string]any{"driver": "file", "filename": drive.ISO, "read-only": true},
			})
			properties = append(properties, "drive", node)
		}
		c.option("-device", "ide-cd", properties...)
	}
}

func (n NIC) arguments(c *commandLine, p placement) {
	id := fmt.Sprintf("net%d", n.Key)
	number, plugged := p.taps[n.Key]
	if plugged {
		c.option("-netdev", "tap", "id", id, "fd", number)
	} else {
		// A hub with nothing else on it is a cable that ends nowhere.
		c.option("-netdev", "hubport", "id", id, "hubid", n.Key)
	}
	c.option("-device", n.Model, "netdev", id, "mac", n.MAC, "romfile", "")
}
