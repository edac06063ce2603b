package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// machine is one that runs or is suspended.
type machine struct {
	fleet  *Fleet
	id     string
	folder string

	// operation is held by what changes the machine's power state or host.
	operation sync.Mutex
	hardware  Hardware
	lines     guestLines

	// Guarded by the fleet's lock. The incoming process is that of a migration under way.
	host, incomingHost string
	process, incoming  *process
	suspended          bool
}

// startDeadline bounds the time from QEMU's start to its first answer.
const startDeadline = 30 * time.Second

func (m *machine) powerOn(ctx context.Context, host string, hardware Hardware) error {
	m.hardware = hardware
	m.lines = guestLines{tell: m.told, refuse: m.note}
	if err := m.prepare(); err != nil {
		return err
	}
	p, err := m.launch(ctx, false)
	if err != nil {
		return err
	}
	return m.begin(p, host)
}

// prepare makes the files that the machine needs while it runs.
func (m *machine) prepare() error {
	if err := os.MkdirAll(m.folder, 0o700); err != nil {
		return err
	}
	content, err := json.Marshal(m.hardware.GuestInfo)
	if err != nil {
		return err
	}
	if err := os.WriteFile(m.placement().guestInfo(), content, 0o600); err != nil {
		return err
	}
	for _, controller := range m.hardware.Controllers {
		for _, disk := range controller.Disks {
			if disk.Nonpersistent {
				if err := writeOverlay(m.placement().overlay(disk), disk.Size); err != nil {
					return err
				}
			}
		}
	}
	for _, port := range m.hardware.Serials {
		if err := m.hardware.openSerialFile(port.File); err != nil {
			return fmt.Errorf("serial port %d: %w", port.Unit+1, err)
		}
	}
	return nil
}

// openSerialFile does with the file of a serial port what the machine's configuration answers.
func (h *Hardware) openSerialFile(path string) error {
	if path == "" {
		return nil
	}
	flags := os.O_WRONLY | os.O_CREATE
	switch h.SerialFiles {
	case Ask:
		flags |= os.O_EXCL
	case Replace:
		flags |= os.O_TRUNC
	case Append:
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("its file %s exists: a host asks whether to replace it or to append (msg.serial.file.open), and no "+
			"answer.msg.serial.file.open is in extraConfig", filepath.Base(path))
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func (m *machine) placement() placement { return placement{folder: m.folder} }

// launch starts a QEMU for the machine and waits for its first answer. An incoming one does not run its processor yet.
func (m *machine) launch(ctx context.Context, incoming bool) (*process, error) {
	p := &process{log: filepath.Join(m.folder, "qemu.log"), lines: map[int32]connection{}, resumed: make(chan struct{}), migration: make(chan string, 16)}
	place := m.placement()
	place.incoming = incoming
	files := &inherited{}
	monitorEnd, err := m.connect(p, &place, files)
	if err != nil {
		files.close()
		p.closeConnections()
		return nil, err
	}
	p.monitor = newMonitor(monitorEnd, func(event string, data json.RawMessage) { m.heard(p, event, data) })
	if err := p.start(m.fleet.options.QEMU, m.hardware.arguments(place), files); err != nil {
		p.closeConnections()
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	if err := p.monitor.handshake(limited); err != nil {
		p.abandon()
		return nil, p.explain(err)
	}
	return p, nil
}

// connect makes what QEMU inherits.
func (m *machine) connect(p *process, place *placement, files *inherited) (connection, error) {
	monitorEnd, number, err := files.pair("monitor")
	if err != nil {
		return nil, err
	}
	place.monitor = number
	if p.guest, place.guest, err = files.pair("guest"); err != nil {
		monitorEnd.Close()
		return nil, err
	}
	place.lines, place.taps = map[int32]int{}, map[int32]int{}
	for _, port := range m.hardware.Serials {
		if port.Remote == nil {
			continue
		}
		if p.lines[port.Unit], place.lines[port.Unit], err = files.pair("serial"); err != nil {
			monitorEnd.Close()
			return nil, err
		}
	}
	for _, nic := range m.hardware.NICs {
		if m.fleet.options.Networks == nil || !nic.Connected {
			continue
		}
		tap, err := m.fleet.options.Networks.tap(nic.Network)
		if err != nil {
			monitorEnd.Close()
			return nil, err
		}
		place.taps[nic.Key] = files.add(tap)
	}
	return monitorEnd, nil
}

// begin makes a process that runs the machine's own and tells of it.
func (m *machine) begin(p *process, host string) error {
	f := m.fleet
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		p.abandon()
		return ErrClosed
	}
	m.process, m.host, m.suspended = p, host, false
	f.events.put(Event{Kind: Started, ID: m.id, Host: host})
	f.mu.Unlock()
	go m.run(p)
	return nil
}

// run serves a process that is the machine's until it ends.
func (m *machine) run(p *process) {
	ctx, cancel := context.WithCancel(context.Background())
	var links sync.WaitGroup
	for _, port := range m.hardware.Serials {
		if line := p.lines[port.Unit]; line != nil {
			l := &link{line: line, dial: port.Remote.Dial}
			links.Go(func() { l.run(ctx) })
		}
	}
	m.lines.read(p.guest)
	<-p.exited
	<-p.monitor.ended
	cancel()
	links.Wait()
	p.closeConnections()
	m.ended(p)
}

// ended tells of the end of a process, if it was the machine's.
func (m *machine) ended(p *process) {
	f := m.fleet
	f.mu.Lock()
	mine := m.process == p
	suspended := mine && p.intent == SuspendedOff
	if mine {
		event := Event{Kind: Exited, ID: m.id, Host: m.host, Reason: p.intent}
		switch {
		case p.intent != "":
		case p.guestOff:
			event.Reason = GuestOff
		default:
			event.Reason, event.Detail = Killed, fmt.Sprint(p.failure)
		}
		m.process, m.suspended = nil, suspended
		f.events.put(event)
		if !suspended {
			delete(f.machines, m.id)
			m.clean()
		}
	}
	f.mu.Unlock()
	close(p.finished)
}

// clean removes what a machine needs only while it runs; its logs stay.
func (m *machine) clean() {
	place := m.placement()
	_ = os.Remove(place.guestInfo())
	_ = os.Remove(m.suspendFile())
	for _, controller := range m.hardware.Controllers {
		for _, disk := range controller.Disks {
			if disk.Nonpersistent {
				_ = os.Remove(place.overlay(disk))
			}
		}
	}
}

// firmwareReset is the time within which a reset after another is the firmware's: at a warm start the BIOS makes a cold one of it.
const firmwareReset = time.Second

// heard takes an event of a process's monitor.
func (m *machine) heard(p *process, event string, data json.RawMessage) {
	var content struct {
		Guest  bool
		Status string
	}
	_ = json.Unmarshal(data, &content)
	f := m.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case event == "SHUTDOWN" && content.Guest:
		p.guestOff = true
	case event == "RESET":
		if content.Guest && m.process == p && time.Since(p.reset) > firmwareReset {
			f.events.put(Event{Kind: Rebooted, ID: m.id, Host: m.host})
		}
		p.reset = time.Now()
	case event == "RESUME":
		p.resumedOnce.Do(func() { close(p.resumed) })
	case event == "MIGRATION":
		select {
		case p.migration <- content.Status:
		default:
		}
	}
}

func (m *machine) told(key, value string) {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	m.fleet.events.put(Event{Kind: GuestInfo, ID: m.id, Host: m.host, Key: key, Value: value})
}

// note puts a line into the machine's log.
func (m *machine) note(err error) {
	file, failure := os.OpenFile(filepath.Join(m.folder, "qemu.log"), os.O_WRONLY|os.O_APPEND, 0)
	if failure == nil {
		fmt.Fprintf(file, "lab: %v\n", err)
		file.Close()
	}
}
