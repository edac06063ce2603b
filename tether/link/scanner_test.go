package link

import (
	"bytes"
	"testing"
)

// scan feeds a stream in pieces of the given size and gives its frames and payload.
func scan(stream []byte, size int) (frames []Frame, payload []byte) {
	s := Scanner{
		OnFrame:   func(f Frame) { frames = append(frames, f) },
		OnPayload: func(b []byte) { payload = append(payload, b...) },
	}
	for len(stream) > 0 {
		n := min(size, len(stream))
		s.Feed(stream[:n])
		stream = stream[n:]
	}
	s.Flush()
	return frames, payload
}

func join(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b = append(b, part...)
		case Frame:
			frame := part.Bytes()
			b = append(b, frame[:]...)
		}
	}
	return b
}

func TestScannerSeparatesFramesFromPayloadHoweverTheyAreSplit(t *testing.T) {
	first, second := Frame{Hello, Nonce{1}}, Frame{Start, Nonce{2}}
	broken := Frame{Hello, Nonce{3}}.Bytes()
	broken[FrameSize-6] ^= 1
	tests := map[string]struct {
		stream  []byte
		frames  []Frame
		payload string
	}{
		"a frame alone":                  {join(first), []Frame{first}, ""},
		"stale bytes before":             {join("stale", first), []Frame{first}, "stale"},
		"payload between":                {join(first, "between", second, "after"), []Frame{first, second}, "betweenafter"},
		"prefixes of the magic":          {join("B", "BE", "BERTH-LINK-0", first, "BERTH"), []Frame{first}, "BBEBERTH-LINK-0BERTH"},
		"a cut frame before a frame":     {join("BERTH-LINK-01\r\n", first), []Frame{first}, "BERTH-LINK-01\r\n"},
		"a broken frame is payload":      {join(string(broken[:]), first), []Frame{first}, string(broken[:])},
		"a frame inside a cut frame":     {join(string(broken[:20]), first, "x"), []Frame{first}, string(broken[:20]) + "x"},
		"payload without any first byte": {bytes.Repeat([]byte{0x17}, 100_000), nil, string(bytes.Repeat([]byte{0x17}, 100_000))},
	}
	for name, test := range tests {
		for _, size := range []int{1, 2, 3, 7, 15, 16, 43, 44, 45, 1 << 20} {
			frames, payload := scan(test.stream, size)
			if len(frames) != len(test.frames) {
				t.Errorf("%s in pieces of %d: %d frames, want %d", name, size, len(frames), len(test.frames))
				continue
			}
			for i, frame := range frames {
				if frame != test.frames[i] {
					t.Errorf("%s in pieces of %d: frame %d is %v", name, size, i, frame)
				}
			}
			if string(payload) != test.payload {
				t.Errorf("%s in pieces of %d: payload %q, want %q", name, size, payload, test.payload)
			}
		}
	}
}

func TestScannerHoldsNoMoreThanMayBeAFrame(t *testing.T) {
	var payload []byte
	s := Scanner{OnFrame: func(Frame) { t.Error("a frame out of nothing") }, OnPayload: func(b []byte) { payload = append(payload, b...) }}
	s.Feed([]byte("request B"))
	if string(payload) != "request " || !s.Holding() {
		t.Fatalf("passed on %q, holding %v", payload, s.Holding())
	}
	s.Flush()
	if string(payload) != "request B" || s.Holding() {
		t.Fatalf("after the flush: %q, holding %v", payload, s.Holding())
	}
	s.Feed([]byte("BER"))
	s.Feed([]byte("LIN"))
	if string(payload) != "request BBERLIN" || s.Holding() {
		t.Fatalf("after the disproof: %q, holding %v", payload, s.Holding())
	}
}

func FuzzScannerLosesNothing(f *testing.F) {
	f.Add(join("stale", Frame{Hello, Nonce{1}}, "BERTH-LINK"), 3)
	f.Add(join(Frame{Hello, Nonce{1}}, Frame{Hello, Nonce{2}}), 44)
	f.Add([]byte("BBBBERTH-LINK-01\r\n\x00BERTH"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		if size < 1 {
			return
		}
		var seen []byte
		s := Scanner{
			OnFrame: func(frame Frame) {
				b := frame.Bytes()
				seen = append(seen, b[:]...)
			},
			OnPayload: func(b []byte) { seen = append(seen, b...) },
		}
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			s.Feed(rest[:n])
			rest = rest[n:]
			if held := len(s.held); held >= FrameSize {
				t.Fatalf("%d bytes held", held)
			}
		}
		if seen = append(seen, s.held...); !bytes.Equal(seen, stream) {
			t.Fatalf("%q became %q", stream, seen)
		}
	})
}
