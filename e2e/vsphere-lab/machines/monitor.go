package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// monitor is a session of QEMU's machine protocol (QMP).
type monitor struct {
	connection *net.UnixConn
	watch      func(event string, data json.RawMessage)

	mu       sync.Mutex
	sequence int
	waiting  map[int]chan answer
	ended    chan struct{}
	greeted  chan struct{}
}

type answer struct {
	Return json.RawMessage
	Error  *struct{ Class, Desc string }
}

var errMonitorEnded = errors.New("QEMU has closed its monitor")

// newMonitor begins a session. Events are given to watch, one after another and in the order in which they come; it must not wait for
// the session.
func newMonitor(connection net.Conn, watch func(string, json.RawMessage)) *monitor {
	m := &monitor{
		connection: connection.(*net.UnixConn), watch: watch, waiting: map[int]chan answer{},
		ended: make(chan struct{}), greeted: make(chan struct{}),
	}
	go m.read()
	return m
}

// handshake waits for the greeting and makes the session ready for commands.
func (m *monitor) handshake(ctx context.Context) error {
	select {
	case <-m.greeted:
	case <-m.ended:
		return errMonitorEnded
	case <-ctx.Done():
		return fmt.Errorf("QEMU's monitor: %w", ctx.Err())
	}
	return m.execute(ctx, "qmp_capabilities", nil, nil)
}

func (m *monitor) read() {
	defer close(m.ended)
	decoder := json.NewDecoder(m.connection)
	for {
		var message struct {
			QMP   json.RawMessage
			Event string
			Data  json.RawMessage
			ID    int
			answer
		}
		if err := decoder.Decode(&message); err != nil {
			return
		}
		switch {
		case message.QMP != nil:
			close(m.greeted)
		case message.Event != "":
			m.watch(message.Event, message.Data)
		default:
			m.mu.Lock()
			waiter := m.waiting[message.ID]
			delete(m.waiting, message.ID)
			m.mu.Unlock()
			if waiter != nil {
				waiter <- message.answer
			}
		}
	}
}

// execute runs a command and decodes what it returns into result, if that is not nil.
func (m *monitor) execute(ctx context.Context, command string, arguments, result any) error {
	return m.executeWith(ctx, nil, command, arguments, result)
}

// giveFile hands QEMU an open file under a name.
func (m *monitor) giveFile(ctx context.Context, name string, file *os.File) error {
	return m.executeWith(ctx, file, "getfd", map[string]string{"fdname": name}, nil)
}

func (m *monitor) executeWith(ctx context.Context, file *os.File, command string, arguments, result any) error {
	waiter := make(chan answer, 1)
	m.mu.Lock()
	m.sequence++
	id := m.sequence
	m.waiting[id] = waiter
	err := m.send(file, struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        int    `json:"id"`
	}{command, arguments, id})
	m.mu.Unlock()
	if err != nil {
		return fmt.Errorf("QEMU's %s: %w", command, err)
	}
	select {
	case a := <-waiter:
		if a.Error != nil {
			return fmt.Errorf("QEMU's %s: %s", command, a.Error.Desc)
		}
		if result != nil {
			return json.Unmarshal(a.Return, result)
		}
		return nil
	case <-m.ended:
		return fmt.Errorf("QEMU's %s: %w", command, errMonitorEnded)
	case <-ctx.Done():
		m.mu.Lock()
		delete(m.waiting, id)
		m.mu.Unlock()
		return fmt.Errorf("QEMU's %s: %w", command, ctx.Err())
	}
}

func (m *monitor) send(file *os.File, command any) error {
	content, err := json.Marshal(command)
	if err != nil {
		return err
	}
	content = append(content, '\n')
	if file == nil {
		_, err = m.connection.Write(content)
		return err
	}
	_, _, err = m.connection.WriteMsgUnix(content, syscall.UnixRights(int(file.Fd())), nil)
	return err
}

func (m *monitor) close() { m.connection.Close() }
