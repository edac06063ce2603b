package process

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/crash"
	"berth.dev/tether/logs"
	"berth.dev/tether/schema"
	"berth.dev/tether/state"
)

const (
	// drainDeadline bounds the reading of output after the last process has ended, when no writer is left.
	drainDeadline = 10 * time.Second
	// flushDeadline bounds the wait for a log port that takes nothing (a full disk of the host): the exit is then told without it.
	flushDeadline = 60 * time.Second
	readSize      = 64 << 10
)

// run is one attempt that got as far as running.
type run struct {
	container *Container
	attempt   uint32
	process   *schema.Process
	began     time.Time
	kills     uint64
	child     *spawned
	copying   sync.WaitGroup
	hub       hub
	ended     chan struct{}
	final     *schema.State // set before ended is closed

	input sync.Mutex

	stopping sync.Mutex
	deadline time.Time
	timer    *time.Timer
}

// begin starts the copying of the output.
func (r *run) begin(child *spawned) {
	r.child = child
	if child.terminal != nil {
		r.copy(child.terminal, logs.Stdout)
		return
	}
	r.copy(child.stdout, logs.Stdout)
	r.copy(child.stderr, logs.Stderr)
}

func (r *run) copy(from *os.File, name string) {
	stream := r.container.log.Stream(name)
	r.copying.Go(func() {
		defer crash.Guard()
		defer stream.Close()
		buffer := make([]byte, readSize)
		for {
			n, err := from.Read(buffer)
			if n > 0 {
				_, _ = stream.Write(buffer[:n])
				r.hub.send(name, buffer[:n])
			}
			if err != nil {
				return
			}
		}
	})
}

// finish waits for the end, sees every byte of output to the log port, and reports.
func (r *run) finish(layer *layer) {
	status := <-r.child.end
	r.stopTimer()
	r.drain()
	code, signal := exitCode(status)
	report := exitReport{code: code, signal: signal, reason: r.reason(code)}
	report.message = terminationMessage(r.process, terminationFile(r.attempt), code, r.container.log.Tail)
	ctx, cancel := context.WithTimeout(context.Background(), flushDeadline)
	defer cancel()
	_ = r.container.log.Flush(ctx)
	r.child.closeFiles()
	layer.discard()
	c := r.container
	c.mu.Lock()
	c.current = nil
	// Told before the next attempt can begin.
	r.final = c.state.Update(func(s *schema.State) { setExited(s, r.attempt, r.began, report) })
	c.mu.Unlock()
	unix.Close(r.child.pidfd)
	r.hub.close()
	close(r.ended)
}

// drain waits for the ends of the streams. With the PID namespace gone nobody is left to write, but a terminal or pipe may have been
// passed out of it.
func (r *run) drain() {
	done := make(chan struct{})
	go func() {
		r.copying.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(drainDeadline):
		for _, file := range []*os.File{r.child.terminal, r.child.stdout, r.child.stderr} {
			if file != nil {
				_ = file.SetReadDeadline(time.Unix(1, 0))
			}
		}
		<-done
	}
}

func (r *run) reason(code int32) string {
	switch {
	case code == 0:
		return Completed
	case oomKills() > r.kills:
		return OOMKilled
	}
	return Error
}

// terminationMessage gives the content of the file, or the end of the log when the policy has it so.
func terminationMessage(p *schema.Process, file string, code int32, tail func() string) string {
	if p.TerminationMessagePath != "" {
		if text := readStart(file, state.MessageLimit); text != "" {
			return text
		}
	}
	if code != 0 && p.FallbackToLogs {
		return tail()
	}
	return ""
}

func readStart(path string, limit int64) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return ""
	}
	return string(content)
}

// stop sends the signal once and makes sure that the process is killed at the earliest deadline of all calls.
func (r *run) stop(signal unix.Signal, grace time.Duration) {
	r.stopping.Lock()
	defer r.stopping.Unlock()
	deadline := time.Now().Add(grace)
	if r.deadline.IsZero() {
		if grace > 0 {
			_ = unix.PidfdSendSignal(r.child.pidfd, signal, nil, 0)
		}
		r.deadline = deadline
		r.timer = time.AfterFunc(grace, r.kill)
		return
	}
	if deadline.Before(r.deadline) {
		r.deadline = deadline
		r.timer.Reset(grace)
	}
}

// kill ends the PID namespace's first process, and the kernel ends all others with it. It races with finish, which closes the pidfd, so it
// looks whether the run has ended.
func (r *run) kill() {
	r.stopping.Lock()
	defer r.stopping.Unlock()
	if r.timer != nil {
		_ = unix.PidfdSendSignal(r.child.pidfd, unix.SIGKILL, nil, 0)
	}
}

func (r *run) stopTimer() {
	r.stopping.Lock()
	defer r.stopping.Unlock()
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
	if r.deadline.IsZero() {
		r.deadline = time.Unix(1, 0) // A later stop has nothing to do.
	}
}

var errNoInput = errors.New("the process has no standard input")

// inputPoll is how often a writer to a process that does not read looks whether its caller is still there.
const inputPoll = 100 * time.Millisecond

// writeInput writes to the process's standard input until the context ends. Several writers take turns.
func writeInput(ctx context.Context, to *os.File, turn *sync.Mutex, data []byte) error {
	turn.Lock()
	defer turn.Unlock()
	for len(data) > 0 {
		if err := to.SetWriteDeadline(time.Now().Add(inputPoll)); err != nil {
			return err
		}
		n, err := to.Write(data)
		data = data[n:]
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
