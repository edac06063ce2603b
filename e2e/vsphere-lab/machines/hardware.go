package machines

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// Hardware is what a machine is made of, every file resolved to a local path.
type Hardware struct {
	Name            string
	CPUs            int
	MemoryMebibytes int64
	// Boot is the order of the classes of boot devices, in the letters of a PC's BIOS: c disk, d CD-ROM, n network.
	Boot        string
	CDROMs      []CDROM
	Controllers []Controller
	NICs        []NIC
	Serials     []Serial
	// SerialFiles is what becomes of the file of a serial port that is there already at power-on.
	SerialFiles SerialFiles
	// GuestInfo has the pairs of extraConfig whose keys begin with "guestinfo.", the prefix in lower case.
	GuestInfo map[string]string
}

// CDROM is a drive on an IDE channel or a port of a SATA controller.
type CDROM struct {
	Key       int32
	SATA      bool
	Bus, Unit int32
	ISO       string // local path, or empty when the drive is
}

// Controller is a paravirtual SCSI controller with its disks.
type Controller struct {
	Bus   int32
	Disks []Disk
}

// Disk is a flat disk at a SCSI target.
type Disk struct {
	Key  int32
	Unit int32
	// Path is the datastore path of the descriptor, File the local path of the extent, and Size its bytes that belong to the disk.
	Path, File string
	Size       int64
	// Nonpersistent drops what is written at power-off and shares the file with other such disks; Shared lets several machines write.
	Nonpersistent, Shared bool
	// Serial is what the guest sees as serial number, when the machine has disk.EnableUUID: the disk's UUID in 32 digits.
	Serial string
}

// NIC is a network adapter.
type NIC struct {
	Key int32
	// Model is QEMU's name of it, Network the name of a standard port group or the key of a distributed one.
	Model, MAC, Network string
	// Connected is false for a NIC whose cable is out.
	Connected bool
}

// Serial is a serial port with one of two backings, or none.
type Serial struct {
	Key  int32
	Unit int32
	// File is the local path of the file that takes the output.
	File string
	// Remote is whom the hypervisor dials.
	Remote *Remote
}

// SerialFiles answers the hypervisor's question about an existing file of a serial port.
type SerialFiles string

// The answers. Without one a machine whose serial port has a file that exists cannot be powered on: ESXi asks a person then.
const (
	Ask     SerialFiles = ""
	Append  SerialFiles = "append"
	Replace SerialFiles = "replace"
)

const guestInfoPrefix = "guestinfo."

// FromConfig derives the hardware from a machine's configuration. What the lab cannot run is an error that names the device; a file that
// is not there is a *FileError. Devices without an effect on a guest with no screen (video card, keyboard and the like) are passed over.
func FromConfig(config *types.VirtualMachineConfigInfo, datastores Datastores) (Hardware, error) {
	if config == nil {
		return Hardware{}, errors.New("the machine has no configuration")
	}
	h := Hardware{
		Name: config.Name, CPUs: int(config.Hardware.NumCPU), MemoryMebibytes: int64(config.Hardware.MemoryMB),
		GuestInfo: map[string]string{},
	}
	d := derivation{hardware: &h, datastores: datastores, controllers: map[int32]types.BaseVirtualDevice{}}
	d.extraConfig(config.ExtraConfig)
	if err := d.boot(config); err != nil {
		return Hardware{}, fmt.Errorf("%s: %w", config.Name, err)
	}
	for _, device := range config.Hardware.Device {
		d.controllers[device.GetVirtualDevice().Key] = device
	}
	for _, device := range config.Hardware.Device {
		if err := d.device(device); err != nil {
			v := device.GetVirtualDevice()
			return Hardware{}, fmt.Errorf("%s: device %d (%T): %w", config.Name, v.Key, device, err)
		}
	}
	h.sort()
	return h, nil
}

func (h *Hardware) sort() {
	slices.SortFunc(h.Controllers, func(a, b Controller) int { return int(a.Bus - b.Bus) })
	slices.SortFunc(h.Serials, func(a, b Serial) int { return int(a.Unit - b.Unit) })
}

// derivation is FromConfig at work.
type derivation struct {
	hardware    *Hardware
	datastores  Datastores
	controllers map[int32]types.BaseVirtualDevice
	serialUUID  bool
}

func (d *derivation) extraConfig(options []types.BaseOptionValue) {
	for _, option := range options {
		o := option.GetOptionValue()
		value := fmt.Sprint(o.Value)
		key := strings.ToLower(o.Key)
		switch {
		case strings.HasPrefix(key, guestInfoPrefix) && key != guestInfoPrefix:
			d.hardware.GuestInfo[guestInfoPrefix+o.Key[len(guestInfoPrefix):]] = value
		case key == "disk.enableuuid":
			d.serialUUID = strings.EqualFold(value, "true")
		case key == "answer.msg.serial.file.open":
			d.hardware.SerialFiles = SerialFiles(strings.ToLower(value))
		}
	}
}

func (d *derivation) boot(config *types.VirtualMachineConfigInfo) error {
	h := d.hardware
	switch {
	case h.CPUs < 1:
		return fmt.Errorf("it has %d processors", h.CPUs)
	case h.MemoryMebibytes < 4:
		return fmt.Errorf("it has %d MB of memory: ESXi's minimum is 4", h.MemoryMebibytes)
	case config.Firmware != "" && config.Firmware != string(types.GuestOsDescriptorFirmwareTypeBios):
		return fmt.Errorf("its firmware is %s: the lab boots through the BIOS", config.Firmware)
	case h.SerialFiles != Ask && h.SerialFiles != Append && h.SerialFiles != Replace:
		return fmt.Errorf("answer.msg.serial.file.open is %q: it must be Append or Replace", h.SerialFiles)
	}
	h.Boot = "cdn"
	if config.BootOptions == nil || len(config.BootOptions.BootOrder) == 0 {
		return nil
	}
	h.Boot = ""
	for _, device := range config.BootOptions.BootOrder {
		letter := ""
		switch device.(type) {
		case *types.VirtualMachineBootOptionsBootableCdromDevice:
			letter = "d"
		case *types.VirtualMachineBootOptionsBootableDiskDevice:
			letter = "c"
		case *types.VirtualMachineBootOptionsBootableEthernetDevice:
			letter = "n"
		default:
			return fmt.Errorf("it boots from a %T: the lab boots from disk, CD-ROM and network", device)
		}
		if !strings.Contains(h.Boot, letter) {
			h.Boot += letter
		}
	}
	return nil
}

func (d *derivation) device(device types.BaseVirtualDevice) error {
	switch v := device.(type) {
	case *types.VirtualCdrom:
		return d.cdrom(v)
	case *types.ParaVirtualSCSIController:
		d.controller(v.BusNumber)
	case types.BaseVirtualSCSIController:
		return errors.New("the lab has paravirtual SCSI controllers only")
	case *types.VirtualDisk:
		return d.disk(v)
	case types.BaseVirtualEthernetCard:
		return d.nic(device, v.GetVirtualEthernetCard())
	case *types.VirtualSerialPort:
		return d.serial(v)
	case *types.VirtualNVMEController, *types.VirtualPCIPassthrough, *types.VirtualParallelPort, *types.VirtualPrecisionClock,
		*types.VirtualTPM, *types.VirtualWDT:
		return errors.New("the lab has no such device")
	}
	return nil
}

// controller gives the SCSI controller with a bus number, new or not.
func (d *derivation) controller(bus int32) *Controller {
	all := &d.hardware.Controllers
	if i := slices.IndexFunc(*all, func(c Controller) bool { return c.Bus == bus }); i >= 0 {
		return &(*all)[i]
	}
	*all = append(*all, Controller{Bus: bus})
	return &(*all)[len(*all)-1]
}

func unit(device *types.VirtualDevice) (int32, error) {
	if device.UnitNumber == nil {
		return 0, errors.New("it has no unit number")
	}
	return *device.UnitNumber, nil
}

// connected tells whether a device begins connected; one that cannot be disconnected always is.
func connected(device *types.VirtualDevice) bool {
	return device.Connectable == nil || device.Connectable.StartConnected
}

func (d *derivation) cdrom(device *types.VirtualCdrom) error {
	number, err := unit(&device.VirtualDevice)
	if err != nil {
		return err
	}
	drive := CDROM{Key: device.Key, Unit: number}
	switch controller := d.controllers[device.ControllerKey].(type) {
	case *types.VirtualIDEController:
		drive.Bus = controller.BusNumber
		if drive.Bus < 0 || drive.Bus > 1 || number < 0 || number > 1 {
			return fmt.Errorf("IDE has no place %d:%d", drive.Bus, number)
		}
	case types.BaseVirtualSATAController:
		drive.SATA, drive.Bus = true, controller.GetVirtualSATAController().BusNumber
	default:
		return fmt.Errorf("its controller %d is neither IDE nor SATA", device.ControllerKey)
	}
	if backing, ok := device.Backing.(*types.VirtualCdromIsoBackingInfo); ok && connected(&device.VirtualDevice) {
		if drive.ISO, err = d.datastores.resolve(backing.FileName); err != nil {
			return err
		}
		if _, err := os.Stat(drive.ISO); err != nil {
			return missing(backing.FileName, err)
		}
	}
	d.hardware.CDROMs = append(d.hardware.CDROMs, drive)
	return nil
}

func (d *derivation) disk(device *types.VirtualDisk) error {
	number, err := unit(&device.VirtualDevice)
	if err != nil {
		return err
	}
	controller, ok := d.controllers[device.ControllerKey].(*types.ParaVirtualSCSIController)
	if !ok {
		return fmt.Errorf("its controller %d is not a paravirtual SCSI controller", device.ControllerKey)
	}
	backing, ok := device.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if !ok {
		return fmt.Errorf("its backing is a %T: the lab has flat disks (VirtualDiskFlatVer2BackingInfo)", device.Backing)
	}
	disk := Disk{Key: device.Key, Unit: number, Path: backing.FileName}
	if err := disk.setMode(backing); err != nil {
		return err
	}
	file, err := d.datastores.resolve(backing.FileName)
	if err != nil {
		return err
	}
	content, extent, err := readDisk(file)
	if err != nil {
		return missing(backing.FileName, err)
	}
	disk.File, disk.Size = extent, content.size
	if d.serialUUID {
		if disk.Serial = digits(backing.Uuid); disk.Serial == "" {
			disk.Serial = content.uuid
		}
	}
	c := d.controller(controller.BusNumber)
	c.Disks = append(c.Disks, disk)
	return nil
}

func (disk *Disk) setMode(backing *types.VirtualDiskFlatVer2BackingInfo) error {
	switch mode := types.VirtualDiskMode(backing.DiskMode); mode {
	case "", types.VirtualDiskModePersistent, types.VirtualDiskModeIndependent_persistent:
	case types.VirtualDiskModeNonpersistent, types.VirtualDiskModeIndependent_nonpersistent:
		disk.Nonpersistent = true
	default:
		return fmt.Errorf("its mode is %s: the lab has persistent and nonpersistent disks", mode)
	}
	disk.Shared = backing.Sharing == string(types.VirtualDiskSharingSharingMultiWriter)
	return nil
}

// models are QEMU's names of network adapters.
func model(device types.BaseVirtualDevice) string {
	switch device.(type) {
	case *types.VirtualVmxnet3:
		return "vmxnet3"
	case *types.VirtualE1000:
		return "e1000"
	case *types.VirtualE1000e:
		return "e1000e"
	}
	return ""
}

func (d *derivation) nic(device types.BaseVirtualDevice, card *types.VirtualEthernetCard) error {
	nic := NIC{Key: card.Key, Model: model(device), MAC: strings.ToLower(card.MacAddress), Connected: connected(&card.VirtualDevice)}
	switch backing := card.Backing.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		nic.Network = backing.DeviceName
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		nic.Network = backing.Port.PortgroupKey
	default:
		return fmt.Errorf("its backing is a %T: the lab has standard and distributed port groups", backing)
	}
	switch {
	case nic.Model == "":
		return errors.New("the lab has VMXNET3, E1000 and E1000e adapters only")
	case nic.MAC == "":
		return errors.New("it has no MAC address")
	case nic.Network == "":
		return errors.New("its backing names no port group")
	}
	d.hardware.NICs = append(d.hardware.NICs, nic)
	return nil
}

func (d *derivation) serial(device *types.VirtualSerialPort) error {
	number, err := unit(&device.VirtualDevice)
	if err != nil {
		return err
	}
	if number < 0 || number > 3 {
		return fmt.Errorf("it is unit %d: the BIOS has four serial ports", number)
	}
	port := Serial{Key: device.Key, Unit: number}
	switch backing := device.Backing.(type) {
	case *types.VirtualSerialPortFileBackingInfo:
		if port.File, err = d.datastores.resolve(backing.FileName); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Dir(port.File)); err != nil {
			return missing(backing.FileName, err)
		}
	case *types.VirtualSerialPortURIBackingInfo:
		if port.Remote, err = ParseRemote(backing); err != nil {
			return err
		}
	case nil:
	default:
		return fmt.Errorf("its backing is a %T: the lab has files and network URIs", backing)
	}
	if !connected(&device.VirtualDevice) {
		port.File, port.Remote = "", nil
	}
	d.hardware.Serials = append(d.hardware.Serials, port)
	return nil
}
