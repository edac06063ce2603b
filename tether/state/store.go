// Package state holds what the containerVM is doing, tells watchers of every change and writes each as one JSON line.
package state

import (
	"context"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"

	"berth.dev/tether/crash"
	"berth.dev/tether/schema"
)

// MessageLimit is the size of a termination message in bytes; what is longer is cut.
const MessageLimit = 4096

// Store is the present state. Every change has the next sequence number.
type Store struct {
	sink io.Writer

	mu      sync.Mutex
	changed chan struct{}
	history []*schema.State
	lines   [][]byte
	flushed chan struct{}
	writing bool
}

// NewStore makes a store whose first change will have sequence 1. Nothing is written before the first Update.
func NewStore(id, bootID, version string, sink io.Writer) *Store {
	first := &schema.State{ID: id, BootID: bootID, TetherVersion: version}
	return &Store{sink: sink, changed: make(chan struct{}), history: []*schema.State{first}}
}

// Current gives a copy of the present state.
func (s *Store) Current() *schema.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	current := *s.last()
	return &current
}

func (s *Store) last() *schema.State { return s.history[len(s.history)-1] }

// Update makes a change, numbers it, and returns a copy of the new state. The line is written in the background.
func (s *Store) Update(change func(*schema.State)) *schema.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.last()
	change(&next)
	next.Sequence = s.last().Sequence + 1
	next.Message = clean(next.Message)
	s.append(&next)
	s.lines = append(s.lines, Line(&next))
	if !s.writing {
		s.writing = true
		s.flushed = make(chan struct{})
		crash.Go(s.write)
	}
	copied := next
	return &copied
}

// historyLimit bounds what a watcher can be behind; a slower one misses changes, never the last.
const historyLimit = 64

func (s *Store) append(next *schema.State) {
	s.history = append(s.history, next)
	if len(s.history) > historyLimit {
		s.history = append([]*schema.State(nil), s.history[len(s.history)-historyLimit/2:]...)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Store) write() {
	for {
		s.mu.Lock()
		lines := s.lines
		s.lines = nil
		if len(lines) == 0 {
			s.writing = false
			close(s.flushed)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, line := range lines {
			// A state port that fails leaves the control port as the way to ask.
			_, _ = s.sink.Write(line)
		}
	}
}

// Flush waits until every line is written, or the context ends.
func (s *Store) Flush(ctx context.Context) error {
	s.mu.Lock()
	flushed := s.flushed
	writing := s.writing
	s.mu.Unlock()
	if !writing {
		return nil
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Watch calls observe with the present state and then with every change in order, until the context ends or observe fails.
func (s *Store) Watch(ctx context.Context, observe func(*schema.State) error) error {
	var seen uint64
	first := true
	for {
		s.mu.Lock()
		changed := s.changed
		var news []*schema.State
		if first {
			news = append(news, s.last())
		} else {
			for _, state := range s.history {
				if state.Sequence > seen {
					news = append(news, state)
				}
			}
		}
		first = false
		s.mu.Unlock()
		for _, state := range news {
			seen = state.Sequence
			if err := observe(state); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Line gives a state's JSON line with its newline. Times are RFC 3339 with nanoseconds in UTC; what a phase does not have is left out.
func Line(s *schema.State) []byte {
	b := strconv.AppendUint([]byte(`{"sequence":`), s.Sequence, 10)
	b = append(append(append(b, `,"bootId":"`...), s.BootID...), `","phase":"`...)
	b = append(append(b, s.Phase.String()...), `","attempt":`...)
	b = strconv.AppendUint(b, uint64(s.Attempt), 10)
	b = appendTime(b, `,"startedAt":"`, s.StartedAt)
	if s.Phase == schema.Exited {
		b = append(appendTime(b, `,"finishedAt":"`, s.FinishedAt), end(s)...)
	}
	return append(b, '}', '\n')
}

func appendTime(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return append(t.UTC().AppendFormat(append(b, name...), time.RFC3339Nano), '"')
}

// end gives the members of an end, after a comma. Only here is there text of others, which must be quoted; to use the package for the line
// of every start would take longer than all else of it.
func end(s *schema.State) []byte {
	b, err := json.Marshal(struct {
		ExitCode int32  `json:"exitCode"`
		Signal   uint32 `json:"signal,omitempty"`
		Reason   string `json:"reason,omitempty"`
		Message  string `json:"message,omitempty"`
	}{s.ExitCode, s.Signal, s.Reason, s.Message})
	if err != nil {
		panic("a state line is always valid JSON: " + err.Error())
	}
	b[0] = ','
	return b[:len(b)-1]
}
