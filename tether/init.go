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
	tether := &server.Tether{Container: m.container, State: m.states, Files: m.files, PowerOff: powerOff}
	if !m.startInitial(tether) {
		m.states.Update(func(s *api.State) { s.Phase = api.Phase_READY })
	}
	timing("ready")
	background(func() error { process.RemoveLeftovers(); return nil })
	if err := m.serve(tether); err != nil {
		fatal(err)
	}
	fatal("the control port has ended")
}

// boot runs everything that a process needs. What does not depend on each other runs at once.
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
	timing("config")
	// No process may find the firmware's files.
	err = together(m.openPorts, m.mountDisks, boot.MakeCgroup, boot.Harden, boot.HideConfig,
		func() error { return boot.ConfigureNetwork(config.Interfaces) })
	if err != nil {
		return err
	}
	timing("devices")
	m.files = &volume.Store{Directory: boot.FilesDirectory}
	m.container, err = process.New(config, m.states, m.log, m.files, process.NewReaper())
	timing("container")
	return err
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

// serve answers the control port for good. What a session needs is made when the first one comes: it costs the processor time that the
// container's process starts with, and many a VM never has a session.
func (m *machine) serve(tether *server.Tether) error {
	listener := link.NewListener(m.control, link.NameOf(m.config.ID))
	crash.Go(func() {
		if err := server.Serve(m.config.Identity, tether, listener); err != nil {
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
