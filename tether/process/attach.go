package process

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// ErrSlow ends an attachment whose caller took no output for too long.
var ErrSlow = errors.New("the output was not taken")

// Attachment is a caller's part in the input and output of the container's first process.
type Attachment struct {
	run  *run
	part *attachment
	ctx  context.Context
}

// Attach joins the running process until the context ends.
func (c *Container) Attach(ctx context.Context) (*Attachment, error) {
	r, err := c.running()
	if err != nil {
		return nil, err
	}
	return &Attachment{run: r, part: r.hub.attach(ctx), ctx: ctx}, nil
}

// Copy sends the output from now on until the process has ended, and gives its exit.
func (a *Attachment) Copy(send func(stream string, data []byte) error) (Exit, error) {
	defer a.run.hub.detach(a.part)
	for {
		select {
		case c, open := <-a.part.queue:
			if !open {
				<-a.run.ended
				return Exit{Code: a.run.final.ExitCode}, nil
			}
			if err := send(c.stream, c.data); err != nil {
				return Exit{}, err
			}
		case <-a.part.dropped:
			return Exit{}, ErrSlow
		case <-a.ctx.Done():
			return Exit{}, a.ctx.Err()
		}
	}
}

// Write writes to the process's standard input.
func (a *Attachment) Write(data []byte) error {
	to := a.input()
	if to == nil {
		return errNoInput
	}
	err := writeInput(a.ctx, to, &a.run.input, data)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, unix.EIO) {
		return nil
	}
	return err
}

func (a *Attachment) input() *os.File {
	if a.run.child.terminal != nil && a.run.process.Stdin {
		return a.run.child.terminal
	}
	return a.run.child.stdin
}

// CloseInput tells that this caller has no more input. Only with stdin_once does the process see it: others may attach later.
func (a *Attachment) CloseInput() error {
	if !a.run.process.StdinOnce || a.input() == nil {
		return nil
	}
	if a.run.child.terminal != nil {
		return a.Write([]byte{endOfInput})
	}
	a.run.input.Lock()
	defer a.run.input.Unlock()
	_ = a.run.child.stdin.Close()
	return nil
}

// Resize sets the size of the process's terminal.
func (a *Attachment) Resize(size *Size) error { return resize(a.run.child.terminal, size) }
