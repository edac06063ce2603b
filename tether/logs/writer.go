// Package logs writes a container's output in the CRI log format.
package logs

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"sync"
	"time"
)

// The streams of a log line.
const (
	Stdout = "stdout"
	Stderr = "stderr"
	berth  = "berth"
)

const (
	// lineLimit is where a line is cut into partial ones, as containerd does.
	lineLimit = 16 << 10
	// pendingLimit is how much formatted output may wait for the port before the process has to.
	pendingLimit = 256 << 10
	timeFormat   = "2006-01-02T15:04:05.000000000Z"
)

// Writer formats the output of both streams into one log. Lines are whole: those of one stream never split those of the other. When the
// log's sink is slow, Write waits.
type Writer struct {
	sink io.Writer
	now  func() time.Time

	mu      sync.Mutex
	changed *sync.Cond
	pending []byte
	busy    bool
	failed  error
	tail    tail
}

// NewWriter makes a writer; Run must be called for anything to reach the sink.
func NewWriter(sink io.Writer, now func() time.Time) *Writer {
	w := &Writer{sink: sink, now: now}
	w.changed = sync.NewCond(&w.mu)
	return w
}

// Run hands what is pending to the sink, in as large writes as have gathered, until the sink fails or the context ends.
func (w *Writer) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { w.fail(ctx.Err()) })
	defer stop()
	var batch []byte
	for {
		w.mu.Lock()
		w.busy = false
		w.changed.Broadcast()
		for len(w.pending) == 0 && w.failed == nil {
			w.changed.Wait()
		}
		if w.failed != nil {
			defer w.mu.Unlock()
			return w.failed
		}
		batch, w.pending = w.pending, batch[:0]
		w.busy = true
		w.changed.Broadcast()
		w.mu.Unlock()
		if _, err := w.sink.Write(batch); err != nil {
			w.fail(err)
		}
	}
}

func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
	w.changed.Broadcast()
}

// Attempt writes the line that precedes an attempt's output and forgets the tail of the attempt before.
func (w *Writer) Attempt(attempt uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tail = tail{}
	w.wait()
	w.line(w.stamp(), berth, 'F', []byte("attempt "+strconv.FormatUint(uint64(attempt), 10)))
	w.changed.Broadcast()
}

// Flush waits until everything written before is with the sink, or the context ends.
func (w *Writer) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for (len(w.pending) > 0 || w.busy) && w.failed == nil && ctx.Err() == nil {
		w.changed.Wait()
	}
	if w.failed != nil {
		return w.failed
	}
	return ctx.Err()
}

// Tail gives the end of the present attempt's output: at most 2,048 bytes and 80 lines.
func (w *Writer) Tail() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tail.text()
}

// Stream gives the writer of one stream of an attempt. It is used by one goroutine; Close writes an unfinished last line.
func (w *Writer) Stream(name string) *Stream { return &Stream{writer: w, name: name} }

// Stream is one of the output streams of a process.
type Stream struct {
	writer *Writer
	name   string
	rest   []byte
}

// Write adds output. It never fails: when the sink is gone the output is dropped, so that the process can go on.
func (s *Stream) Write(data []byte) (int, error) {
	w := s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait()
	stamp := w.stamp()
	total := len(data)
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			s.hold(stamp, data)
			break
		}
		s.finish(stamp, data[:end])
		data = data[end+1:]
	}
	w.changed.Broadcast()
	return total, nil
}

// hold keeps the beginning of a line, and writes it in partial lines once it is longer than the limit.
func (s *Stream) hold(stamp []byte, data []byte) {
	s.rest = append(s.rest, data...)
	for len(s.rest) > lineLimit {
		s.writer.line(stamp, s.name, 'P', s.rest[:lineLimit])
		s.rest = append(s.rest[:0], s.rest[lineLimit:]...)
	}
}

func (s *Stream) finish(stamp []byte, end []byte) {
	line := end
	if len(s.rest) > 0 || len(end) > lineLimit {
		s.hold(stamp, end)
		line = s.rest
	}
	s.writer.line(stamp, s.name, 'F', line)
	s.rest = s.rest[:0]
}

// Close writes what is left of an unfinished line, as a partial one.
func (s *Stream) Close() error {
	if len(s.rest) == 0 {
		return nil
	}
	w := s.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait()
	w.line(w.stamp(), s.name, 'P', s.rest)
	s.rest = nil
	w.changed.Broadcast()
	return nil
}

// wait holds the caller back while too much is pending.
func (w *Writer) wait() {
	for len(w.pending) > pendingLimit && w.failed == nil {
		w.changed.Wait()
	}
	if w.failed != nil {
		w.pending = w.pending[:0]
	}
}

func (w *Writer) stamp() []byte {
	return w.now().UTC().AppendFormat(make([]byte, 0, len(timeFormat)), timeFormat)
}

func (w *Writer) line(stamp []byte, stream string, tag byte, content []byte) {
	w.pending = append(w.pending, stamp...)
	w.pending = append(w.pending, ' ')
	w.pending = append(w.pending, stream...)
	w.pending = append(w.pending, ' ', tag, ' ')
	w.pending = append(w.pending, content...)
	w.pending = append(w.pending, '\n')
	if stream != berth {
		w.tail.add(content, tag == 'F')
	}
}
