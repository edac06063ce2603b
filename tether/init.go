package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/crash"
	"berth.dev/tether/link"
	"berth.dev/tether/logs"
	"berth.dev/tether/port"
	"berth.dev/tether/process"
	"berth.dev/tether/server"
	"berth.dev/tether/state"
	"berth.dev/tether/volume"
)

// version is set by the linker.
var version = "development"

// memoryLimit makes the collector work harder before the tether takes memory from the container.
const memoryLimit = 24 << 20

// machine is what the parts of the tether share.
type machine struct {
	config    *boot.Config
	states    *state.Store
	log       *logs.Writer
	control   *port.Port
	container *process.Container
	files     *volume.Store
}

// fatalState lets a panic anywhere reach the state port once there is one.
var fatalState struct {
	sync.Mutex
	states *state.Store
}

func runInit() {
	crash.Handle(fatal)
	defer crash.Guard()
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(50)
	m := &machine{}
	if err := m.boot(); err != nil {
		fatal(err)
	}
	if err := m.serve(); err != nil {
		fatal(err)
	}
	fatal("the control port has ended")
}

// boot runs everything before READY. What does not depend on each other runs at once.
func (m *machine) boot() error {
	timing("start")
	if err := boot.MountSystem(); err != nil {
		return err
	}
	timing("mounts")
	if err := boot.LoadModules(); err != nil {
		return err
	}
	timing("modules")
	config, err := boot.ReadConfig()
	if err != nil {
		return err
	}
	m.config = config
	if err := boot.AddEntropy(config.Entropy); err != nil {
		return err
	}
	err = together(m.openPorts, m.mountDisks, boot.MakeCgroup, boot.Harden,
		func() error { return boot.ConfigureNetwork(config.Interfaces) })
	if err != nil {
		return err
	}
	timing("devices")
	m.files = &volume.Store{Directory: boot.FilesDirectory}
	m.container, err = process.New(config, m.states, m.log, m.files, process.NewReaper())
	if err != nil {
		return err
	}
	m.states.Update(func(s *api.State) { s.Phase = api.Phase_READY })
	timing("ready")
	background(boot.HideConfig)
	background(func() error { process.RemoveLeftovers(); return nil })
	return nil
}

// together runs all at once and gives their errors.
func together(tasks ...func() error) error {
	failures := make([]error, len(tasks))
	var all sync.WaitGroup
	for i, task := range tasks {
		all.Go(func() {
			defer crash.Guard()
			failures[i] = task()
		})
	}
	all.Wait()
	return errors.Join(failures...)
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

func (m *machine) openPorts() error {
	stateSink, err := openPort(port.State)
	if err != nil {
		return err
	}
	m.states = state.NewStore(m.config.ID, bootID(), version, stateSink)
	fatalState.Lock()
	fatalState.states = m.states
	fatalState.Unlock()
	logSink, err := openPort(port.Log)
	if err != nil {
		return err
	}
	m.log = logs.NewWriter(logSink, time.Now)
	background(func() error { return m.log.Run(context.Background()) })
	m.control, err = openPort(port.Control)
	return err
}

func bootID() string {
	var id [16]byte
	_, _ = rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

func (m *machine) mountDisks() error {
	image, _ := m.config.Serial(boot.RoleImage)
	scratch, _ := m.config.Serial(boot.RoleScratch)
	return errors.Join(boot.MountImage(image), boot.MountScratch(scratch))
}

// serve answers the control port for good.
func (m *machine) serve() error {
	tether := &server.Tether{
		Container: m.container, State: m.states, Files: m.files, PowerOff: powerOff,
	}
	grpcServer, err := server.New(m.config.Identity, tether)
	if err != nil {
		return err
	}
	timing("server")
	listener := link.NewListener(m.control)
	crash.Go(func() {
		if err := grpcServer.Serve(listener); err != nil {
			fatal(err)
		}
	})
	return listener.Run(context.Background())
}

// fatal reports why the containerVM cannot go on, on the console and the state port, and powers off.
func fatal(reason any) {
	fmt.Fprintf(os.Stderr, "tether: fatal: %v\n", reason)
	if states := fatalStates(); states != nil {
		states.Update(func(s *api.State) {
			s.Phase, s.Reason, s.ExitCode, s.Signal = api.Phase_EXITED, process.Error, 255, 0
			if s.StartedAt == nil {
				s.Reason, s.ExitCode = process.StartError, 128
			}
			s.Message = fmt.Sprintf("the containerVM cannot go on: %v", reason)
		})
	}
	powerOff()
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

func powerOff() {
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

// timing prints the time since the kernel's start and the tether's memory when the kernel command line has "tether.timing".
func timing(step string) {
	if !boot.Argument("tether.timing") {
		return
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) == nil {
		fmt.Fprintf(os.Stderr, "tether: %-8s %4d ms, resident%s\n", step, now.Nano()/1e6, boot.Resident())
	}
}
