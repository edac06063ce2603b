package pid1

import (
	"context"
	"errors"
	"os"
	"time"

	"berth.dev/tether/boot"
	"berth.dev/tether/guestinfo"
	"berth.dev/tether/logs"
	"berth.dev/tether/port"
	"berth.dev/tether/state"
)

// readConfig reads the configuration from the firmware, or where that has none from guestinfo, which tells that the VM has vSphere's hardware.
func (m *Machine) readConfig() (*boot.Config, error) {
	config, err := boot.ReadConfig()
	if !errors.Is(err, os.ErrNotExist) {
		return config, err
	}
	door, none := guestinfo.Open()
	if errors.Is(none, guestinfo.ErrNone) {
		return nil, err
	}
	if none != nil {
		return nil, none
	}
	m.Door = door
	m.report("")
	return guestinfo.ReadConfig(door)
}

// report makes the states that go to guestinfo.
func (m *Machine) report(id string) {
	m.States = state.NewStore(id, bootID(), version, guestinfo.States{Door: m.Door})
	fatalState.Lock()
	defer fatalState.Unlock()
	fatalState.states = m.States
}

// openSerialPorts opens what a VM without virtio has.
func (m *Machine) openSerialPorts() error {
	m.report(m.Config.ID)
	// The log shares its port with the kernel's console: from here on that says only what ends the VM.
	if err := os.WriteFile(boot.ProcDirectory+"/sys/kernel/printk", []byte("1"), 0); err != nil {
		return err
	}
	sink, err := port.OpenSerialSink(port.SerialLog)
	if err != nil {
		return err
	}
	// A boot that was cut off may have left half a line, and nobody else can end it.
	if _, err := sink.Write([]byte("\n")); err != nil {
		return err
	}
	m.log = logs.NewWriter(sink, time.Now)
	background(func() error { return m.log.Run(context.Background()) })
	if m.Control, err = port.OpenSerial(port.SerialControl); err != nil {
		return err
	}
	if addresses := m.Config.Addresses(); len(addresses) > 0 {
		return m.Door.Set(guestinfo.AddressKey, addresses[0])
	}
	return nil
}
