package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/crash"
	"berth.dev/tether/logs"
	"berth.dev/tether/shim"
)

const (
	// lateOutput is how long an ended process's descendants may be silent before their output is given up.
	lateOutput = 500 * time.Millisecond
	// hangupGrace is the time from HUP to KILL when the caller has gone.
	hangupGrace = 2 * time.Second
)

// Size is that of a terminal, in characters.
type Size struct{ Columns, Rows uint16 }

// Command is what to run beside the container's first process; a nil Size leaves the terminal's.
type Command struct {
	Arguments       []string
	Terminal, Stdin bool
	Size            *Size
}

// Exit tells how a process ended, or why it could not be started.
type Exit struct {
	Code    int32
	Message string
}

// Session is a process beside the container's first one.
type Session struct {
	child  *spawned
	input  sync.Mutex
	status unix.WaitStatus
	ended  chan struct{}
	close  sync.Once
}

// Exec starts a process in the container. The error is a *shim.Failure when it could not be executed.
func (c *Container) Exec(command Command) (*Session, error) {
	r, err := c.running()
	if err != nil {
		return nil, err
	}
	hostname := r.process.Hostname
	if hostname == "" {
		hostname = c.config.Hostname
	}
	spec, err := processSpec(r.process, hostname)
	if err != nil {
		return nil, err
	}
	spec.Arguments, spec.Terminal = command.Arguments, command.Terminal
	if command.Size != nil {
		spec.Columns, spec.Rows = command.Size.Columns, command.Size.Rows
	}
	joined, err := r.duplicatePidfd()
	if err != nil {
		return nil, err
	}
	defer unix.Close(joined)
	child, err := c.spawner.spawn(spec, command.Stdin, joined)
	if err != nil {
		return nil, err
	}
	s := &Session{child: child, ended: make(chan struct{})}
	crash.Go(func() {
		s.status = <-child.end
		s.lateAfter()
		close(s.ended)
	})
	return s, nil
}

// duplicatePidfd keeps the process's descriptor from being closed, and its number from being used again, while a session begins.
func (r *run) duplicatePidfd() (int, error) {
	r.container.mu.Lock()
	defer r.container.mu.Unlock()
	if r.container.current != r {
		return -1, fmt.Errorf("%w: no process runs", ErrPrecondition)
	}
	return unix.FcntlInt(uintptr(r.child.pidfd), unix.F_DUPFD_CLOEXEC, 0)
}

func (s *Session) outputs() []*os.File {
	if s.child.terminal != nil {
		return []*os.File{s.child.terminal}
	}
	return []*os.File{s.child.stdout, s.child.stderr}
}

// lateAfter lets reads of what is there go on, and ends those that wait in vain.
func (s *Session) lateAfter() {
	for _, file := range s.outputs() {
		_ = file.SetReadDeadline(time.Now().Add(lateOutput))
	}
}

// Copy sends all output until the process has ended and nothing more comes. It returns the first error of send, from whichever stream;
// send is never called twice at once.
func (s *Session) Copy(send func(stream string, data []byte) error) error {
	var all sync.WaitGroup
	var turn sync.Mutex
	var failure error
	for i, file := range s.outputs() {
		name := []string{logs.Stdout, logs.Stderr}[i]
		all.Go(func() {
			defer crash.Guard()
			s.read(file, func(data []byte) error {
				turn.Lock()
				defer turn.Unlock()
				if failure == nil {
					failure = send(name, data)
				}
				return failure
			})
		})
	}
	all.Wait()
	return failure
}

func (s *Session) read(file *os.File, send func([]byte) error) {
	buffer := make([]byte, readSize/2)
	for {
		n, err := file.Read(buffer)
		if n > 0 {
			if send(buffer[:n]) != nil {
				return
			}
			select {
			case <-s.ended:
				// What still comes is worth waiting for as long as it comes.
				_ = file.SetReadDeadline(time.Now().Add(lateOutput))
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// Write writes to the process's standard input. An ended or deaf process is not an error.
func (s *Session) Write(ctx context.Context, data []byte) error {
	to := s.child.stdin
	if s.child.terminal != nil {
		to = s.child.terminal
	}
	if to == nil {
		return errNoInput
	}
	err := writeInput(ctx, to, &s.input, data)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EIO) {
		return nil
	}
	return err
}

// endOfInput is what a terminal takes for the end of its input.
const endOfInput = 4

// CloseInput ends the process's standard input.
func (s *Session) CloseInput(ctx context.Context) error {
	if s.child.terminal != nil {
		return s.Write(ctx, []byte{endOfInput})
	}
	if s.child.stdin == nil {
		return nil
	}
	s.input.Lock()
	defer s.input.Unlock()
	_ = s.child.stdin.Close()
	return nil
}

// Resize sets the size of the process's terminal.
func (s *Session) Resize(size *Size) error { return resize(s.child.terminal, size) }

func resize(terminal *os.File, size *Size) error {
	if terminal == nil || size == nil {
		return nil
	}
	raw, err := terminal.SyscallConn()
	if err != nil {
		return err
	}
	window := unix.Winsize{Col: size.Columns, Row: size.Rows}
	var failure error
	err = raw.Control(func(fd uintptr) { failure = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &window) })
	return errors.Join(err, failure)
}

// Ended is closed when the process has ended.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// ExitCode is known once the process has ended.
func (s *Session) ExitCode() int32 {
	code, _ := exitCode(s.status)
	return code
}

// Close ends the process if it still runs, with HUP and then KILL, and frees its files. It may be called at once and again.
func (s *Session) Close() { s.close.Do(s.end) }

func (s *Session) end() {
	for _, signal := range []unix.Signal{unix.SIGHUP, unix.SIGKILL} {
		select {
		case <-s.ended:
		default:
			// The process leads its own group.
			_ = unix.Kill(-s.child.pid, signal)
			_ = unix.PidfdSendSignal(s.child.pidfd, signal, nil, 0)
			select {
			case <-s.ended:
			case <-time.After(hangupGrace):
			}
		}
	}
	<-s.ended
	s.child.closeFiles()
	unix.Close(s.child.pidfd)
}

// Failure tells the exit code and message of a process that could not be started, and whether err is of that kind.
func Failure(err error) (Exit, bool) {
	var failure *shim.Failure
	if !errors.As(err, &failure) {
		return Exit{}, false
	}
	code := failure.ExitCode
	if code == startErrorCode {
		code = 126
	}
	return Exit{Code: int32(code), Message: failure.Message}, true
}
