// Package process runs the container's process and others beside it.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
	"berth.dev/tether/crash"
	"berth.dev/tether/logs"
	"berth.dev/tether/schema"
	"berth.dev/tether/shim"
	"berth.dev/tether/state"
	"berth.dev/tether/volume"
)

// The reasons of an exit.
const (
	Completed  = "Completed"
	Error      = "Error"
	OOMKilled  = "OOMKilled"
	StartError = "StartError"
)

const startErrorCode = 128

// ErrPrecondition is wrapped by errors of calls that do not fit the container's state.
var ErrPrecondition = errors.New("the container's state does not allow it")

// ErrInvalid is wrapped by errors of requests that make no sense in any state.
var ErrInvalid = errors.New("invalid request")

// Container is the one container of the VM. All methods may be called at once.
type Container struct {
	state   *state.Store
	log     *logs.Writer
	files   *volume.Store
	config  *boot.Config
	spawner *spawner
	sources *sources
	devices *deviceFilter

	starting sync.Mutex
	mu       sync.Mutex
	current  *run
	started  bool
	attempt  uint32
}

// New makes the container of a VM in which nothing has started yet.
func New(config *boot.Config, states *state.Store, log *logs.Writer, files *volume.Store, reaper *Reaper) (*Container, error) {
	cgroup, err := os.Open(boot.ContainerCgroup)
	if err != nil {
		return nil, fmt.Errorf("open the container's cgroup: %w", err)
	}
	devices, err := newDeviceFilter()
	if err != nil {
		return nil, err
	}
	return &Container{
		devices: devices,
		state:   states, log: log, files: files, config: config,
		spawner: &spawner{reaper: reaper, cgroup: cgroup}, sources: newSources(files),
	}, nil
}

// Start starts an attempt; see the schema for when it refuses.
func (c *Container) Start(attempt uint32, p *schema.Process) (*schema.State, error) {
	c.starting.Lock()
	defer c.starting.Unlock()
	repeated, err := c.admit(attempt)
	if err != nil || repeated {
		return c.state.Current(), err
	}
	if p == nil {
		return nil, fmt.Errorf("%w: process is missing", ErrInvalid)
	}
	if _, err := stopSignal(p.StopSignal, ""); err != nil {
		return nil, fmt.Errorf("%w: stop_signal: %w", ErrInvalid, err)
	}
	spec, err := c.spec(attempt, p)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c.launch(attempt, p, spec)
}

// admit tells whether the attempt is the present one already, or why it may not begin.
func (c *Container) admit(attempt uint32) (repeated bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.started || attempt > c.attempt && c.current == nil:
		return false, nil
	case attempt == c.attempt:
		return true, nil
	case attempt < c.attempt:
		return false, fmt.Errorf("%w: attempt %d is lower than the last one, %d", ErrPrecondition, attempt, c.attempt)
	}
	return false, fmt.Errorf("%w: attempt %d still runs", ErrPrecondition, c.attempt)
}

func (c *Container) spec(attempt uint32, p *schema.Process) (*shim.Spec, error) {
	hostname := p.Hostname
	if hostname == "" {
		hostname = c.config.Hostname
	}
	if len(hostname) > 64 {
		return nil, errHostname
	}
	spec, err := processSpec(p, hostname)
	if err != nil {
		return nil, err
	}
	spec.Root = rootSpec(p)
	if spec.Root.Mounts, err = c.sources.prepare(p.Mounts, p.FilesystemGroup); err != nil {
		return nil, err
	}
	return spec, c.prepareFiles(attempt, p, hostname, spec.Root)
}

// prepareFiles makes the files that the tether itself mounts into the container. A mount of the caller at the same place wins.
func (c *Container) prepareFiles(attempt uint32, p *schema.Process, hostname string, root *shim.Root) error {
	directory := filepath.Join(boot.Directory, "etc", attemptName(attempt))
	if err := os.RemoveAll(filepath.Dir(directory)); err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	add := func(name, destination, content string, mode os.FileMode) error {
		for _, mount := range root.Mounts {
			if filepath.Clean(mount.Destination) == destination {
				return nil
			}
		}
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			return err
		}
		root.Mounts = append(root.Mounts, shim.Mount{Source: path, Destination: destination})
		return os.Chmod(path, mode)
	}
	err := errors.Join(
		add("hosts", "/etc/hosts", hostLines(p, hostname, c.config.Addresses()), 0o644),
		add("hostname", "/etc/hostname", hostname+"\n", 0o644),
		add("resolv.conf", "/etc/resolv.conf", resolverLines(p.NameResolution), 0o644))
	if err == nil && p.TerminationMessagePath != "" {
		err = add("termination", filepath.Clean("/"+p.TerminationMessagePath), "", 0o666)
	}
	return err
}

func terminationFile(attempt uint32) string {
	return filepath.Join(boot.Directory, "etc", attemptName(attempt), "termination")
}

// launch starts the process on a fresh layer and reports it running, or ended at once when it cannot be started.
func (c *Container) launch(attempt uint32, p *schema.Process, spec *shim.Spec) (*schema.State, error) {
	layer, err := c.newLayer(attempt)
	if err != nil {
		return nil, err
	}
	if err := c.devices.apply(c.spawner.cgroup, !p.Privileged); err != nil {
		return nil, err
	}
	spec.Root.Target = boot.RootDirectory
	spec.Root.OverlayOptions = layer.options()
	c.log.Attempt(attempt)
	now := time.Now()
	r := &run{container: c, attempt: attempt, process: p, kills: oomKills(), ended: make(chan struct{}), began: now}
	child, err := c.spawner.spawn(spec, p.Stdin, -1)
	c.mu.Lock()
	c.started, c.attempt = true, attempt
	if err == nil {
		r.begin(child)
		c.current = r
	}
	c.mu.Unlock()
	if err != nil {
		layer.discard()
		return c.state.Update(func(s *schema.State) {
			setExited(s, attempt, now, exitReport{code: startErrorCode, reason: StartError, message: err.Error()})
		}), nil
	}
	running := c.state.Update(func(s *schema.State) {
		clearExit(s)
		s.Phase, s.Attempt, s.StartedAt = schema.Running, attempt, now
	})
	crash.Go(func() { r.finish(layer) })
	return running, nil
}

func clearExit(s *schema.State) {
	s.FinishedAt, s.ExitCode, s.Signal, s.Reason, s.Message = time.Time{}, 0, 0, "", ""
}

type exitReport struct {
	code    int32
	signal  uint32
	reason  string
	message string
}

func setExited(s *schema.State, attempt uint32, began time.Time, e exitReport) {
	s.Phase, s.Attempt, s.StartedAt, s.FinishedAt = schema.Exited, attempt, began, time.Now()
	s.ExitCode, s.Signal, s.Reason, s.Message = e.code, e.signal, e.reason, e.message
}

// running gives the present run, or an error when none runs.
func (c *Container) running() (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil {
		return nil, fmt.Errorf("%w: no process runs", ErrPrecondition)
	}
	return c.current, nil
}

// Signal sends a signal to the container's first process.
func (c *Container) Signal(name string) error {
	number, err := ParseSignal(name)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	r, err := c.running()
	if err != nil {
		return err
	}
	return unix.PidfdSendSignal(r.child.pidfd, number, nil, 0)
}

func stopSignal(configured, override string) (unix.Signal, error) {
	for _, name := range []string{override, configured} {
		if name != "" {
			return ParseSignal(name)
		}
	}
	return unix.SIGTERM, nil
}

// Stop ends the process and gives the exited state; with none running it gives the state as it is.
func (c *Container) Stop(ctx context.Context, grace time.Duration, override string) (*schema.State, error) {
	r, err := c.running()
	if err != nil {
		return c.state.Current(), nil
	}
	number, err := stopSignal(r.process.StopSignal, override)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	r.stop(number, grace)
	select {
	case <-r.ended:
		return c.state.Current(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// oomKills counts the processes of the container that the kernel has killed for want of memory.
func oomKills() uint64 { return statOf(boot.ContainerCgroup+"/memory.events", "oom_kill") }

// statOf gives a number of a file of lines of the form "name number", 0 when there is none.
func statOf(file, name string) uint64 {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return parseNumber(value)
		}
	}
	return 0
}
