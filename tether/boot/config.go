// Package boot brings the containerVM from the kernel's first process to a mounted root, a network and open ports.
package boot

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Config is what the control plane gives a containerVM at its power-on. It holds the VM's private key, and with the process secrets of the
// container: it exists in the memory of hypervisor and guest only.
type Config struct {
	Schema     int         `json:"schema"`
	ID         string      `json:"id"`
	Identity   Identity    `json:"identity"`
	Hostname   string      `json:"hostname"`
	Interfaces []Interface `json:"interfaces"`
	Disks      []Disk      `json:"disks"`
	// ControlMAC is that of the interface which is the control plane's alone, when there is one.
	ControlMAC string `json:"controlMac,omitempty"`
	// MemoryLimit is what the container may use, in bytes; 0 leaves it what the kernel and the tether do not use.
	MemoryLimit int `json:"memoryLimit,omitempty"`
	// Entropy, base64 in JSON, is credited to the kernel's random number generator when given; it must be fresh for every boot.
	Entropy []byte `json:"entropy,omitempty"`
	// Process, base64 in JSON, is an InitialProcess of the schema, when there is one.
	Process []byte `json:"process,omitempty"`
}

// Identity is the VM's certificate and key and the authority it trusts, all PEM.
type Identity struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
	Authority   string `json:"authority"`
}

// Interface configures the network interface with the given MAC address.
type Interface struct {
	MAC       string   `json:"mac"`
	Addresses []string `json:"addresses"`
	Gateway   string   `json:"gateway"`
	MTU       int      `json:"mtu"`
}

// Disk names an attached disk by its serial number.
type Disk struct {
	Serial string `json:"serial"`
	Role   string `json:"role"`
}

// The roles of disks that the tether mounts by itself.
const (
	RoleImage   = "image"
	RoleScratch = "scratch"
)

const schema = 1

// ParseConfig reads and checks a configuration. An error names the field.
func ParseConfig(content []byte) (*Config, error) {
	config, err := ParseConfigWithoutKey(content)
	if err == nil && config.Identity.Key == "" {
		return nil, errIdentity
	}
	return config, err
}

var errIdentity = errors.New("boot configuration: identity needs certificate, key and authority")

// ParseConfigWithoutKey is ParseConfig for a VM that may have to make its certificate and key itself: both may be missing.
func ParseConfigWithoutKey(content []byte) (*Config, error) {
	config := &Config{}
	if err := readJSON(content, config.read); err != nil {
		return nil, fmt.Errorf("the boot configuration is %w", err)
	}
	switch {
	case config.Schema != schema:
		return nil, fmt.Errorf("boot configuration: schema is %d, this tether knows %d", config.Schema, schema)
	case config.ID == "":
		return nil, errors.New("boot configuration: id is missing")
	case (config.Identity.Certificate == "") != (config.Identity.Key == "") || config.Identity.Authority == "":
		return nil, errIdentity
	case config.MemoryLimit < 0:
		return nil, errors.New("boot configuration: memoryLimit is negative")
	}
	if _, ok := config.Serial(RoleImage); !ok {
		return nil, errors.New("boot configuration: disks has none with the role image")
	}
	for i, n := range config.Interfaces {
		if err := n.check(); err != nil {
			return nil, fmt.Errorf("boot configuration: interfaces[%d].%w", i, err)
		}
		if strings.EqualFold(n.MAC, config.ControlMAC) {
			return nil, fmt.Errorf("boot configuration: controlMac is that of interfaces[%d]", i)
		}
	}
	if config.ControlMAC != "" {
		if _, err := parseMAC(config.ControlMAC); err != nil {
			return nil, fmt.Errorf("boot configuration: controlMac: %w", err)
		}
	}
	return config, nil
}

func (c *Config) read(r *jsonReader) {
	r.object(func(name string) {
		switch name {
		case "schema":
			c.Schema = r.integer()
		case "id":
			c.ID = r.string()
		case "identity":
			c.Identity.read(r)
		case "hostname":
			c.Hostname = r.string()
		case "interfaces":
			c.Interfaces = nil
			r.array(func() { c.Interfaces = append(c.Interfaces, readInterface(r)) })
		case "disks":
			c.Disks = nil
			r.array(func() { c.Disks = append(c.Disks, readDisk(r)) })
		case "controlMac":
			c.ControlMAC = r.string()
		case "memoryLimit":
			c.MemoryLimit = r.integer()
		case "entropy":
			c.Entropy = r.base64()
		case "process":
			c.Process = r.base64()
		default:
			r.skip()
		}
	})
}

func (i *Identity) read(r *jsonReader) {
	r.object(func(name string) {
		switch name {
		case "certificate":
			i.Certificate = r.string()
		case "key":
			i.Key = r.string()
		case "authority":
			i.Authority = r.string()
		default:
			r.skip()
		}
	})
}

func readInterface(r *jsonReader) (n Interface) {
	r.object(func(name string) {
		switch name {
		case "mac":
			n.MAC = r.string()
		case "addresses":
			r.array(func() { n.Addresses = append(n.Addresses, r.string()) })
		case "gateway":
			n.Gateway = r.string()
		case "mtu":
			n.MTU = r.integer()
		default:
			r.skip()
		}
	})
	return n
}

func readDisk(r *jsonReader) (d Disk) {
	r.object(func(name string) {
		switch name {
		case "serial":
			d.Serial = r.string()
		case "role":
			d.Role = r.string()
		default:
			r.skip()
		}
	})
	return d
}

// base64 reads bytes.
func (r *jsonReader) base64() []byte {
	content, err := base64.StdEncoding.DecodeString(r.string())
	if err != nil {
		r.fail()
	}
	return content
}

func (n Interface) check() error {
	if _, err := parseMAC(n.MAC); err != nil {
		return fmt.Errorf("mac: %w", err)
	}
	for _, address := range n.Addresses {
		if _, err := parsePrefix(address); err != nil {
			return fmt.Errorf("addresses: %w", err)
		}
	}
	if n.Gateway != "" {
		if _, err := parseAddress(n.Gateway); err != nil {
			return fmt.Errorf("gateway: %w", err)
		}
	}
	if n.MTU < 0 || n.MTU > 65535 {
		return fmt.Errorf("mtu: %d is not in 0 to 65535", n.MTU)
	}
	return nil
}

// Serial gives the serial number of the disk with a role.
func (c *Config) Serial(role string) (string, bool) {
	for _, disk := range c.Disks {
		if disk.Role == role {
			return disk.Serial, true
		}
	}
	return "", false
}

// Addresses gives the addresses of all interfaces without their prefixes.
func (c *Config) Addresses() []string {
	var all []string
	for _, n := range c.Interfaces {
		for _, address := range n.Addresses {
			first, _, _ := strings.Cut(address, "/")
			all = append(all, first)
		}
	}
	return all
}

const firmwareFile = "/sys/firmware/qemu_fw_cfg/by_name/opt/dev.berth/config/raw"

// ReadConfig reads the configuration that the hypervisor passes in.
func ReadConfig() (*Config, error) {
	content, err := os.ReadFile(firmwareFile)
	if err != nil {
		return nil, fmt.Errorf("read the boot configuration from the firmware: %w", err)
	}
	return ParseConfig(content)
}

// HideConfig takes the firmware's files, and with them the VM's private key, out of sysfs. Nothing in the VM needs them again.
func HideConfig() error {
	const driver = "/sys/bus/platform/drivers/fw_cfg"
	entries, err := os.ReadDir(driver)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); strings.Contains(name, ":") || strings.HasPrefix(name, "fw_cfg") {
			if err := os.WriteFile(driver+"/unbind", []byte(name), 0); err != nil {
				return fmt.Errorf("hide the boot configuration: %w", err)
			}
		}
	}
	return nil
}
