package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"berth.dev/tether/schema"
)

const patience = 10 * time.Second

type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

var began = time.Date(2026, 11, 23, 17, 0, 0, 5, time.UTC)

func exited(s *schema.State) {
	s.Phase, s.StartedAt, s.FinishedAt = schema.Exited, began, began
	s.ExitCode, s.Signal, s.Reason, s.Message = 137, 9, "OOMKilled", "bye\n"
}

func flush(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestEveryChangeIsOneLine(t *testing.T) {
	sink := &buffer{}
	s := NewStore("vm-1", "boot", "1.0", sink)
	s.Update(func(s *schema.State) { s.Phase = schema.Ready })
	s.Update(func(s *schema.State) { s.Phase, s.StartedAt = schema.Running, began })
	s.Update(exited)
	flush(t, s)
	want := `{"sequence":1,"bootId":"boot","phase":"READY","attempt":0}
{"sequence":2,"bootId":"boot","phase":"RUNNING","attempt":0,"startedAt":"2026-11-23T17:00:00.000000005Z"}
{"sequence":3,"bootId":"boot","phase":"EXITED","attempt":0,"startedAt":"2026-11-23T17:00:00.000000005Z",` +
		`"finishedAt":"2026-11-23T17:00:00.000000005Z","exitCode":137,"signal":9,"reason":"OOMKilled","message":"bye\n"}
`
	if got := sink.text(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestExitCodeZeroIsInTheLine(t *testing.T) {
	line := string(Line(&schema.State{Phase: schema.Exited, Reason: "Completed"}))
	if !strings.Contains(line, `"exitCode":0`) {
		t.Error(line)
	}
}

func TestMessagesAreCutAndValid(t *testing.T) {
	s := NewStore("vm-1", "boot", "1.0", &buffer{})
	for _, message := range []string{strings.Repeat("é", 3000), "a" + strings.Repeat("é", 3000), strings.Repeat("\xff\u00e9", 2000)} {
		got := s.Update(func(s *schema.State) { s.Message = message }).Message
		if len(got) > MessageLimit || len(got) < MessageLimit-3 || !utf8.ValidString(got) {
			t.Errorf("%d bytes, valid: %v", len(got), utf8.ValidString(got))
		}
		if !json.Valid(Line(&schema.State{Message: got})) {
			t.Error("the line is not JSON")
		}
	}
}

func TestWatchersSeeThePresentAndEveryChange(t *testing.T) {
	s := NewStore("vm-1", "boot", "1.0", &buffer{})
	s.Update(func(s *schema.State) { s.Phase = schema.Ready })
	enough := errors.New("enough")
	const changes = 20
	var all sync.WaitGroup
	for range 3 {
		first := make(chan struct{})
		all.Go(func() {
			var seen []uint64
			err := s.Watch(context.Background(), func(state *schema.State) error {
				if len(seen) == 0 {
					close(first)
				} else if state.Sequence != seen[len(seen)-1]+1 {
					t.Errorf("%d follows %d", state.Sequence, seen[len(seen)-1])
				}
				seen = append(seen, state.Sequence)
				if state.Sequence == changes {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) {
				t.Error(err)
			}
		})
		<-first
	}
	for range changes - 1 {
		s.Update(func(*schema.State) {})
	}
	all.Wait()
}

func TestWatchEndsWithItsContext(t *testing.T) {
	s := NewStore("vm-1", "boot", "1.0", &buffer{})
	ctx, cancel := context.WithCancel(context.Background())
	err := s.Watch(ctx, func(*schema.State) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCurrentIsACopy(t *testing.T) {
	s := NewStore("vm-1", "boot", "1.0", &buffer{})
	s.Current().ID = "changed"
	if got := s.Current().ID; got != "vm-1" {
		t.Error(got)
	}
}
