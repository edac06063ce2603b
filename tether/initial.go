package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/server"
)

// powerOnTolerance is how far the clock may be off the one given at the power-on, which the hypervisor's own start makes inexact.
const powerOnTolerance = 50 * time.Millisecond

// startInitial starts the process that the VM was powered on with. It tells whether there is one that was taken: one that was not is
// the control plane's to give again, and it will hear why.
func (m *machine) startInitial(tether *server.Tether) bool {
	if len(m.config.Process) == 0 {
		return false
	}
	content := m.config.Process
	m.config.Process = nil
	if err := start(tether, content); err != nil {
		fmt.Fprintln(os.Stderr, "tether: the initial process:", err)
		return false
	}
	return true
}

func start(tether *server.Tether, content []byte) error {
	initial := &api.InitialProcess{}
	if err := proto.Unmarshal(content, initial); err != nil {
		return err
	}
	if clock := initial.Start.GetClock(); clock != nil {
		initial.Start.Clock = nil
		if err := setClock(clock.AsTime()); err != nil {
			return err
		}
	}
	timing("clock")
	for _, volume := range initial.Volumes {
		if _, err := tether.WriteVolume(context.Background(), volume); err != nil {
			return err
		}
	}
	timing("volumes")
	_, err := tether.Start(context.Background(), initial.Start)
	return err
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
