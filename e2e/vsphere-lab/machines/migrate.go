package machines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Migrate moves a running machine to another host while it runs: a second QEMU with the same devices takes its state over. Network serial
// ports are dialled anew by the destination, and its NICs have new taps. When it fails the machine goes on where it was.
func (f *Fleet) Migrate(ctx context.Context, id, host string) error {
	m, source, err := f.running(id)
	if err != nil {
		return err
	}
	defer m.operation.Unlock()
	destination, err := m.launch(ctx, true)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", id, err)
	}
	f.mu.Lock()
	m.incoming, m.incomingHost = destination, host
	if f.closed {
		destination.kill()
	}
	f.mu.Unlock()
	err = transfer(ctx, source, destination)
	f.mu.Lock()
	m.incoming, m.incomingHost = nil, ""
	from := m.host
	moved := err == nil && m.process == source
	if moved {
		m.process, m.host = destination, host
		// From here on the destination is the machine, so what the lab had in mind for the source is for it.
		if source.intent != "" {
			destination.intent = source.intent
			destination.kill()
		}
	}
	f.mu.Unlock()
	if !moved {
		if err == nil {
			err = errors.New("the machine ended during its migration")
		}
		destination.abandon()
		close(destination.finished)
		return fmt.Errorf("migrate %s: %w", id, destination.explain(err))
	}
	source.kill()
	<-source.finished
	f.events.put(Event{Kind: Migrated, ID: id, Host: host, From: from})
	go m.run(destination)
	return nil
}

// transfer moves the state of one process to another, and returns when that one runs.
func transfer(ctx context.Context, source, destination *process) error {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket pair: %w", err)
	}
	out, in := os.NewFile(uintptr(ends[0]), "outgoing"), os.NewFile(uintptr(ends[1]), "incoming")
	err = errors.Join(destination.receive(ctx, in), source.send(ctx, out))
	if err != nil {
		return err
	}
	// The source has stopped for good: there is no way back any more, so that a deadline of the caller's comes too late.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startDeadline)
	defer cancel()
	return destination.awaitResumed(ctx)
}

// stateName is under what QEMU knows a file that is given for its state.
const stateName = "state"

// receive makes an incoming process read its state from a file, which is closed here.
func (p *process) receive(ctx context.Context, file *os.File) error {
	defer file.Close()
	if err := p.monitor.giveFile(ctx, stateName, file); err != nil {
		return err
	}
	return p.monitor.execute(ctx, "migrate-incoming", map[string]string{"uri": "fd:" + stateName}, nil)
}

// bandwidth in bytes a second is no limit: a source that is sent faster than it writes converges.
const bandwidth = 1 << 40

// send makes a process stop and write its state into a file, which is closed here. When that fails the process runs on. A context that ends
// when all is written already does not make it fail.
func (p *process) send(ctx context.Context, file *os.File) error {
	defer file.Close()
	for _, command := range []struct {
		name      string
		arguments any
	}{
		{"migrate-set-capabilities", map[string]any{"capabilities": []any{map[string]any{"capability": "events", "state": true}}}},
		{"migrate-set-parameters", map[string]any{"max-bandwidth": bandwidth}},
	} {
		if err := p.monitor.execute(ctx, command.name, command.arguments, nil); err != nil {
			return err
		}
	}
	if err := p.monitor.giveFile(ctx, stateName, file); err != nil {
		return err
	}
	// Whether it has begun must be known, whatever the caller's deadline.
	begin, cancel := context.WithTimeout(context.WithoutCancel(ctx), startDeadline)
	defer cancel()
	if err := p.monitor.execute(begin, "migrate", map[string]string{"uri": "fd:" + stateName}, nil); err != nil {
		return err
	}
	for {
		select {
		case status := <-p.migration:
			switch status {
			case "completed":
				return nil
			case "failed", "cancelled":
				return fmt.Errorf("the migration has %s", status)
			}
		case <-p.exited:
			return errors.New("the machine ended during its migration")
		case <-ctx.Done():
			if !p.cancelMigration() {
				return ctx.Err()
			}
			return nil
		}
	}
}

// cancelMigration lets a process run on that was to be moved. It gives true when that came too late: its state is with the other then.
func (p *process) cancelMigration() bool {
	ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
	defer cancel()
	_ = p.monitor.execute(ctx, "migrate_cancel", nil, nil)
	for {
		select {
		case status := <-p.migration:
			switch status {
			case "completed":
				return true
			case "cancelled", "failed":
				return false
			}
		case <-p.exited:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (p *process) awaitResumed(ctx context.Context) error {
	select {
	case <-p.resumed:
		return nil
	case <-p.exited:
		return errors.New("the destination ended when it was to take over")
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *machine) suspendFile() string { return filepath.Join(m.folder, "suspended") }

// Suspend writes the state of a machine to a file and ends its QEMU; PowerOn resumes it, on any host.
func (f *Fleet) Suspend(ctx context.Context, id string) error {
	m, p, err := f.running(id)
	if err != nil {
		return err
	}
	defer m.operation.Unlock()
	file, err := os.OpenFile(m.suspendFile(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("suspend %s: %w", id, err)
	}
	if err := p.send(ctx, file); err != nil {
		_ = os.Remove(m.suspendFile())
		return fmt.Errorf("suspend %s: %w", id, err)
	}
	f.mu.Lock()
	if p.intent == "" {
		p.intent = SuspendedOff
	}
	f.mu.Unlock()
	p.kill()
	return await(ctx, p.finished)
}

// resume starts a suspended machine.
func (m *machine) resume(ctx context.Context, host string) error {
	file, err := os.Open(m.suspendFile())
	if err != nil {
		return fmt.Errorf("resume %s: %w", m.id, err)
	}
	p, err := m.launch(ctx, true)
	if err != nil {
		file.Close()
		return fmt.Errorf("resume %s: %w", m.id, err)
	}
	if err := errors.Join(p.receive(ctx, file), p.awaitResumed(ctx)); err != nil {
		p.abandon()
		return fmt.Errorf("resume %s: %w", m.id, p.explain(err))
	}
	return m.begin(p, host)
}
