package logs

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"
)

func BenchmarkStream(b *testing.B) {
	chunk := bytes.Repeat(append(bytes.Repeat([]byte{'x'}, 99), '\n'), 655)
	w := NewWriter(io.Discard, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = w.Run(ctx) }()
	s := w.Stream(Stdout)
	b.SetBytes(int64(len(chunk)))
	for b.Loop() {
		_, _ = s.Write(chunk)
	}
}
