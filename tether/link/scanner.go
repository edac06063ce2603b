package link

import "bytes"

// Scanner separates frames from payload in a byte stream. It holds back only bytes that may still become a frame: a prefix of the magic
// until the next byte or Flush disproves it, and a whole magic until the frame is complete.
type Scanner struct {
	// OnFrame is called for each valid frame, OnPayload for the bytes between frames, in the order of the stream.
	// OnPayload's slice is only valid during the call.
	OnFrame   func(Frame)
	OnPayload func([]byte)

	held []byte
}

// Feed takes the next bytes of the stream.
func (s *Scanner) Feed(data []byte) {
	if len(s.held) > 0 {
		data = append(s.held, data...)
		s.held = nil
	}
	for len(data) > 0 {
		at := frameStart(data)
		if at > 0 {
			s.OnPayload(data[:at])
			data = data[at:]
			continue
		}
		if len(data) < FrameSize {
			s.held = append([]byte(nil), data...)
			return
		}
		frame, err := parseFrame(data[:FrameSize])
		if err != nil {
			s.OnPayload(data[:1])
			data = data[1:]
			continue
		}
		data = data[FrameSize:]
		s.OnFrame(frame)
	}
}

// Holding tells whether bytes are held back that Flush would release.
func (s *Scanner) Holding() bool { return len(s.held) > 0 && len(s.held) < len(Magic) }

// Flush releases a held prefix of the magic as payload. A complete magic stays held: chance does not make one.
func (s *Scanner) Flush() {
	if s.Holding() {
		held := s.held
		s.held = nil
		s.OnPayload(held)
	}
}

// frameStart gives the index of the first byte from which data may still be a frame, or len(data).
func frameStart(data []byte) int {
	from := 0
	for {
		i := bytes.IndexByte(data[from:], Magic[0])
		if i < 0 {
			return len(data)
		}
		from += i
		n := min(len(Magic), len(data)-from)
		if bytes.Equal(data[from:from+n], Magic[:n]) {
			return from
		}
		from++
	}
}
