// Package pid1 boots a containerVM and starts its first process, before the rest of the tether is initialised.
//
// Go initialises packages in the order of their import paths as soon as all that they import is (since Go 1.21). The packages of gRPC and
// protobuf take longer to initialise than it takes to start the container's process, and many a containerVM never needs them. So this
// package's init function boots, starts the process and then waits for the first session, where the process did not have to come by one; only
// then do theirs run, and main. It comes
// before them as long as neither it nor what it imports needs a package that itself comes late: path/filepath, net, net/netip and
// the like. A test sees to the order.
package pid1

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
	"berth.dev/tether/crash"
	"berth.dev/tether/guestinfo"
	"berth.dev/tether/logs"
	"berth.dev/tether/monitor"
	"berth.dev/tether/port"
	"berth.dev/tether/process"
	"berth.dev/tether/schema"
	"berth.dev/tether/state"
	"berth.dev/tether/volume"
)

// version is set by the linker.
var version = "development"

// Machine is what the parts of the tether share.
type Machine struct {
	Config    *boot.Config
	States    *state.Store
	Control   *port.Port
	Container *process.Container
	Files     *volume.Store

	// Door is there on vSphere's hardware.
	Door guestinfo.Door
	// Network listens at the control interface where the configuration names one.
	Network *os.File

	log *logs.Writer
}

// booted is set by init.
var booted *Machine

// Booted gives the machine, or nil when this is not the first process of one.
func Booted() *Machine { return booted }

// fatalState lets a panic anywhere reach the state port once there is one.
var fatalState struct {
	sync.Mutex
	states *state.Store
}

func init() {
	// A test's binary may be process 1 of a sandbox; the kernel calls its first process by this name.
	if os.Getpid() != 1 || os.Args[0] != "/init" {
		return
	}
	crash.Handle(Fatal)
	defer crash.Guard()
	m := &Machine{}
	if err := m.boot(); err != nil {
		Fatal(err)
	}
	if !m.startInitial() {
		m.States.Update(func(s *schema.State) { s.Phase = schema.Ready })
	}
	timing("ready")
	// On vSphere the process comes by a session, and before that the control plane wants to be told of the certificate that main makes.
	if m.Door == nil {
		if err := m.Control.Await(); err != nil {
			Fatal(fmt.Errorf("wait for the first session: %w", err))
		}
	}
	timing("called")
	monitor.Release(boot.ProcDirectory)
	booted = m
}

// boot does everything that a process needs, one after another: most containerVMs have one processor, and to change between threads costs
// more than the disks make wait.
func (m *Machine) boot() error {
	timing("start")
	if err := boot.MountSystem(); err != nil {
		return err
	}
	timing("mounts")
	monitor.Quiet(boot.ProcDirectory)
	if err := boot.LoadModules(); err != nil {
		return err
	}
	timing("modules")
	config, err := m.readConfig()
	if err != nil {
		return err
	}
	m.Config = config
	if err := boot.AddEntropy(config.Entropy); err != nil {
		return err
	}
	timing("config")
	// No process may find the firmware's files.
	makeCgroup := func() error { return boot.MakeCgroup(config.MemoryLimit) }
	for _, step := range []func() error{m.openPorts, m.mountDisks, makeCgroup, boot.Harden, boot.HideConfig} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := boot.ConfigureNetwork(config.Interfaces); err != nil {
		return err
	}
	if config.ControlMAC != "" {
		if m.Network, err = boot.ListenControl(config.ControlMAC); err != nil {
			return err
		}
	}
	timing("devices")
	m.Files = &volume.Store{Directory: boot.FilesDirectory}
	m.Container, err = process.New(config, m.States, m.log, m.Files, process.NewReaper())
	timing("container")
	return err
}

// background runs a task whose failure the VM survives.
func background(task func() error) {
	crash.Go(func() {
		if err := task(); err != nil {
			fmt.Fprintln(os.Stderr, "tether:", err)
		}
	})
}

const portDeadline = 10 * time.Second

func openPort(name string) (*port.Port, error) {
	var opened *port.Port
	err := boot.Await(portDeadline, func() error {
		path, err := port.Find(name)
		if err != nil {
			return err
		}
		opened, err = port.Open(path)
		return err
	})
	return opened, err
}

func (m *Machine) openPorts() error {
	if m.Door != nil {
		return m.openSerialPorts()
	}
	stateSink, err := openPort(port.State)
	if err != nil {
		return err
	}
	m.States = state.NewStore(m.Config.ID, bootID(), version, stateSink)
	fatalState.Lock()
	fatalState.states = m.States
	fatalState.Unlock()
	logSink, err := openPort(port.Log)
	if err != nil {
		return err
	}
	m.log = logs.NewWriter(logSink, time.Now)
	background(func() error { return m.log.Run(context.Background()) })
	m.Control, err = openPort(port.Control)
	return err
}

func bootID() string {
	var id [16]byte
	_, _ = unix.Getrandom(id[:], 0)
	return hex.EncodeToString(id[:])
}

func (m *Machine) mountDisks() error {
	image, _ := m.Config.Serial(boot.RoleImage)
	scratch, _ := m.Config.Serial(boot.RoleScratch)
	return errors.Join(boot.MountImage(image), boot.MountScratch(scratch))
}

// Fatal reports why the containerVM cannot go on, on the console and the state port, and powers off.
func Fatal(reason any) {
	fmt.Fprintf(os.Stderr, "tether: fatal: %v\n", reason)
	if states := fatalStates(); states != nil {
		states.Update(func(s *schema.State) {
			s.Phase, s.Reason, s.ExitCode, s.Signal = schema.Exited, process.Error, 255, 0
			if s.StartedAt.IsZero() {
				s.Reason, s.ExitCode = process.StartError, 128
			}
			s.Message = fmt.Sprintf("the containerVM cannot go on: %v", reason)
		})
	}
	PowerOff()
}

// fatalStates gives the states to report to; before there are any, new ones on the port if it is there already.
func fatalStates() *state.Store {
	fatalState.Lock()
	defer fatalState.Unlock()
	if fatalState.states == nil {
		path, err := port.Find(port.State)
		if err != nil {
			return nil
		}
		sink, err := port.Open(path)
		if err != nil {
			return nil
		}
		fatalState.states = state.NewStore("", bootID(), version, sink)
	}
	return fatalState.states
}

const flushDeadline = 2 * time.Second

// PowerOff unmounts everything and ends the VM; it does not return.
func PowerOff() {
	timing("off")
	fatalState.Lock()
	states := fatalState.states
	fatalState.Unlock()
	if states != nil {
		ctx, cancel := context.WithTimeout(context.Background(), flushDeadline)
		_ = states.Flush(ctx)
		cancel()
	}
	boot.PowerOff()
}

// timing prints the time since the kernel's start and the tether's memory when the kernel command line has "TETHER_TIMING=1", which the
// kernel passes on as environment.
func timing(step string) {
	if os.Getenv("TETHER_TIMING") == "" {
		return
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) == nil {
		fmt.Fprintf(os.Stderr, "tether: %-8s %6.1f ms, resident%s\n", step, float64(now.Nano())/1e6, boot.Resident())
	}
}
