package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 17, 0, 0, 123456789, time.UTC)

const noonText = "2026-11-23T17:00:00.123456789Z"

const patience = 10 * time.Second

// sink records writes, and blocks them while its gate is closed.
type sink struct {
	mu     sync.Mutex
	gate   sync.Mutex
	all    bytes.Buffer
	sizes  []int
	failed error
}

func (s *sink) Write(b []byte) (int, error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return 0, s.failed
	}
	s.sizes = append(s.sizes, len(b))
	return s.all.Write(b)
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

func newWriter(t *testing.T) (*Writer, *sink) {
	t.Helper()
	s := &sink{}
	w := NewWriter(s, func() time.Time { return noon })
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { _ = w.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return w, s
}

func flush(t *testing.T, w *Writer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, s *Stream, text string) {
	t.Helper()
	if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("wrote %d of %d: %v", n, len(text), err)
	}
}

func TestLinesHaveTheCRIFormat(t *testing.T) {
	w, s := newWriter(t)
	w.Attempt(2)
	out, failures := w.Stream(Stdout), w.Stream(Stderr)
	write(t, out, "one\n\ntwo ")
	write(t, failures, "bad\n")
	write(t, out, "words\nno end")
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	want := strings.ReplaceAll("@ berth F attempt 2\n@ stdout F one\n@ stdout F \n@ stderr F bad\n@ stdout F two words\n@ stdout P no end\n", "@", noonText)
	if got := s.text(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTimesKeepTheirZeros(t *testing.T) {
	s := &sink{}
	w := NewWriter(s, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)) })
	w.Attempt(0)
	if got := string(w.pending); got != "2026-01-02T02:04:05.000000000Z berth F attempt 0\n" {
		t.Errorf("got %q", got)
	}
}

func TestLongLinesAreCutIntoPartialOnes(t *testing.T) {
	for _, length := range []int{lineLimit - 1, lineLimit, lineLimit + 1, 2 * lineLimit, 2*lineLimit + 5} {
		for _, piece := range []int{length + 1, 1000, 4096} {
			w, s := newWriter(t)
			out := w.Stream(Stdout)
			text := strings.Repeat("x", length) + "\n"
			for rest := text; rest != ""; {
				n := min(piece, len(rest))
				write(t, out, rest[:n])
				rest = rest[n:]
			}
			flush(t, w)
			var joined strings.Builder
			lines := strings.Split(strings.TrimSuffix(s.text(), "\n"), "\n")
			for i, line := range lines {
				tag := line[len(noonText)+len(" stdout ")]
				content := line[len(noonText)+len(" stdout F "):]
				joined.WriteString(content)
				if last := i == len(lines)-1; (tag == 'F') != last || len(content) > lineLimit {
					t.Errorf("length %d in pieces of %d: line %d of %d has tag %c and %d bytes", length, piece, i, len(lines), tag, len(content))
				}
			}
			if joined.String()+"\n" != text || len(lines) != (length+lineLimit-1)/lineLimit {
				t.Errorf("length %d in pieces of %d: %d lines, %d bytes", length, piece, len(lines), joined.Len())
			}
		}
	}
}

func TestStreamsNeverSplitEachOthersLines(t *testing.T) {
	w, s := newWriter(t)
	var all sync.WaitGroup
	const count = 2000
	for _, name := range []string{Stdout, Stderr} {
		all.Go(func() {
			stream := w.Stream(name)
			for i := range count {
				line := fmt.Sprintf("%s %d\n", name, i)
				_, _ = stream.Write([]byte(line[:3]))
				_, _ = stream.Write([]byte(line[3:]))
			}
		})
	}
	all.Wait()
	flush(t, w)
	next := map[string]int{}
	for line := range strings.Lines(s.text()) {
		fields := strings.Fields(line)
		if len(fields) != 5 || fields[1] != fields[3] || fields[4] != fmt.Sprint(next[fields[1]]) {
			t.Fatalf("line %q, expected number %d", line, next[fields[1]])
		}
		next[fields[1]]++
	}
	if next[Stdout] != count || next[Stderr] != count {
		t.Errorf("lines: %v", next)
	}
}

func TestSlowSinkHoldsTheWriterBack(t *testing.T) {
	w, s := newWriter(t)
	s.gate.Lock()
	out := w.Stream(Stdout)
	line := strings.Repeat("y", 1023) + "\n"
	const lines = 2048
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range lines {
			_, _ = out.Write([]byte(line))
		}
	}()
	deadline := time.Now().Add(patience)
	for {
		w.mu.Lock()
		full := len(w.pending) > pendingLimit
		w.mu.Unlock()
		if full {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the writer was never held back")
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case <-done:
		t.Fatal("everything was taken without a sink")
	default:
	}
	s.gate.Unlock()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the writer still waits")
	}
	flush(t, w)
	if got := strings.Count(s.text(), "\n"); got != lines {
		t.Errorf("%d lines, want %d", got, lines)
	}
	if len(s.sizes) > lines/32 {
		t.Errorf("%d writes for %d lines: they were not gathered", len(s.sizes), lines)
	}
}

func TestFailedSinkDoesNotHoldTheProcessBack(t *testing.T) {
	w, s := newWriter(t)
	s.failed = errors.New("gone")
	out := w.Stream(Stdout)
	for range 10 {
		write(t, out, strings.Repeat("z", pendingLimit)+"\n")
	}
	if err := w.Flush(context.Background()); err == nil {
		t.Error("the flush succeeded")
	}
}

func TestTailIsTheEndOfTheAttempt(t *testing.T) {
	numbered := func(from, to int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintf(&b, "%d\n", i)
		}
		return b.String()
	}
	tests := map[string]struct{ output, want string }{
		"nothing":          {"", ""},
		"one line":         {"a\n", "a\n"},
		"no end":           {"a\nb", "a\nb"},
		"eighty lines":     {numbered(1, 80), numbered(1, 80)},
		"a hundred lines":  {numbered(1, 100), numbered(21, 100)},
		"many bytes":       {strings.Repeat("q", 3000) + "\n", strings.Repeat("q", 2047) + "\n"},
		"very many bytes":  {strings.Repeat("q", 3000) + strings.Repeat("r", 50_000), strings.Repeat("r", 2048)},
		"lines and bytes":  {strings.Repeat(strings.Repeat("s", 99)+"\n", 1000), strings.Repeat(strings.Repeat("s", 99)+"\n", 21)[52:]},
		"eighty and a bit": {numbered(1, 80) + "rest", numbered(2, 80) + "rest"},
	}
	for name, test := range tests {
		w, _ := newWriter(t)
		w.Attempt(0)
		out := w.Stream(Stdout)
		write(t, out, test.output)
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.Tail(); got != test.want {
			t.Errorf("%s: %d bytes %.60q…, want %d bytes %.60q…", name, len(got), got, len(test.want), test.want)
		}
		w.Attempt(1)
		if got := w.Tail(); got != "" {
			t.Errorf("%s: the next attempt begins with %q", name, got)
		}
	}
}
