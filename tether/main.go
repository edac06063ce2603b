// Command tether is the first process of a containerVM: it boots it, runs the container's process, and serves the control plane.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime/debug"

	"berth.dev/tether/crash"
	"berth.dev/tether/guestinfo"
	"berth.dev/tether/link"
	"berth.dev/tether/pid1"
	"berth.dev/tether/server"
)

// memoryLimit makes the collector work harder before the tether takes memory from the container.
const memoryLimit = 24 << 20

// main serves the control plane, which has called for the first time or, on vSphere, is about to: package pid1 has done all that came before. The init function
// of package shim, which it imports, is the shim.
func main() {
	m := pid1.Booted()
	if m == nil {
		fmt.Fprintln(os.Stderr, "tether is the first process of a containerVM and runs only as process 1, named /init")
		os.Exit(2)
	}
	defer crash.Guard()
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(50)
	tether := newTether(m)
	if m.Door != nil {
		tether.Window = server.SerialWindow
		if err := identify(m); err != nil {
			pid1.Fatal(err)
		}
	}
	if m.Network != nil {
		if err := serveNetwork(m); err != nil {
			pid1.Fatal(err)
		}
	}
	listener := link.NewListener(m.Control, link.NameOf(m.Config.ID))
	crash.Go(func() {
		pid1.Fatal(fmt.Errorf("serve the control plane: %w", server.Serve(m.Config.Identity, tether, listener)))
	})
	pid1.Fatal(fmt.Errorf("the control port has ended: %w", listener.Run(context.Background())))
}

func newTether(m *pid1.Machine) *server.Tether {
	return &server.Tether{Container: m.Container, State: m.States, Files: m.Files, PowerOff: pid1.PowerOff}
}

// serveNetwork serves the control plane at the control interface beside the port.
func serveNetwork(m *pid1.Machine) error {
	listener, err := net.FileListener(m.Network)
	if err != nil {
		return fmt.Errorf("the control interface: %w", err)
	}
	crash.Go(func() {
		pid1.Fatal(fmt.Errorf("serve the control plane at its interface: %w", server.Serve(m.Config.Identity, newTether(m), listener)))
	})
	return m.Network.Close()
}

// identify makes the identity of a VM that came without a key, and tells by what it is known.
func identify(m *pid1.Machine) error {
	if m.Config.Identity.Key != "" {
		return nil
	}
	identity, fingerprint, err := server.MakeIdentity(m.Config.ID, m.Config.Identity.Authority)
	if err != nil {
		return err
	}
	m.Config.Identity = identity
	return m.Door.Set(guestinfo.CertificateKey, fingerprint)
}
