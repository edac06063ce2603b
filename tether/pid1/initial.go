package pid1

import (
	"fmt"
	"os"
	"time"

	"berth.dev/tether/boot"
	"berth.dev/tether/schema"
	"berth.dev/tether/volume"
)

// powerOnTolerance is how far the clock may be off the one given at the power-on, which the hypervisor's own start makes inexact.
const powerOnTolerance = 50 * time.Millisecond

// startInitial starts the process that the VM was powered on with. It tells whether there is one that was taken: one that was not is
// the control plane's to give again, and it will hear why.
func (m *Machine) startInitial() bool {
	if len(m.Config.Process) == 0 {
		return false
	}
	content := m.Config.Process
	m.Config.Process = nil
	if err := m.start(content); err != nil {
		fmt.Fprintln(os.Stderr, "tether: the initial process:", err)
		return false
	}
	return true
}

func (m *Machine) start(content []byte) error {
	initial, err := schema.ReadInitial(content)
	if err != nil {
		return err
	}
	if !initial.Start.Clock.IsZero() {
		if err := setClock(initial.Start.Clock); err != nil {
			return err
		}
	}
	timing("clock")
	for _, v := range initial.Volumes {
		if err := m.writeVolume(v); err != nil {
			return err
		}
	}
	timing("volumes")
	_, err = m.Container.Start(initial.Start.Attempt, initial.Start.Process)
	return err
}

func (m *Machine) writeVolume(v *schema.Volume) error {
	files := make([]volume.File, len(v.Files))
	for i, file := range v.Files {
		files[i] = volume.File(file)
	}
	return m.Files.Write(v.Name, files, volume.Owner{User: v.User, Group: v.Group})
}

// setClock makes the clock that of the power-on and what has passed since. A VM that cannot tell keeps its hardware's clock.
func setClock(powerOn time.Time) error {
	since, err := boot.SincePowerOn()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tether: the clock is left as it is:", err)
		return nil
	}
	return boot.SetClock(powerOn.Add(since), powerOnTolerance)
}
