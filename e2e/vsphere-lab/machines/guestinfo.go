package machines

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The guest's door to guestinfo; see the package's documentation.
const (
	// FirmwareFile is the name of the firmware file with the values that the guest is given.
	FirmwareFile = "opt/dev.berth/guestinfo"
	// GuestPort is the name of the virtio-serial port on which it tells others.
	GuestPort = "dev.berth.guestinfo"
	// LineLimit is the longest line in bytes, its newline included. ESXi takes as much in one call.
	LineLimit = 64 << 10
)

// guestLine is what the guest writes.
type guestLine struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

// guestLines takes the lines of one guest, which may come over more than one port in turn.
type guestLines struct {
	partial []byte
	tell    func(key, value string)
	refuse  func(error)
}

// read takes lines until the port ends. What it has of a line then is kept for the next port.
func (g *guestLines) read(port io.Reader) {
	reader := bufio.NewReaderSize(port, LineLimit)
	for {
		part, err := reader.ReadSlice('\n')
		g.partial = append(g.partial, part...)
		switch {
		case len(g.partial) > LineLimit:
			g.refuse(fmt.Errorf("guestinfo: a line is longer than %d bytes", LineLimit))
			// The rest of it is then no line either.
			g.partial = append(g.partial[:0], '!')
			if bytes.HasSuffix(part, []byte{'\n'}) {
				g.partial = g.partial[:0]
			}
		case bytes.HasSuffix(part, []byte{'\n'}):
			if err := g.take(g.partial); err != nil {
				g.refuse(err)
			}
			g.partial = g.partial[:0]
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (g *guestLines) take(line []byte) error {
	var content guestLine
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&content); err != nil {
		return fmt.Errorf("guestinfo: a line is no JSON object of key and value: %w", err)
	}
	switch {
	case content.Key == nil || content.Value == nil:
		return errors.New("guestinfo: a line lacks key or value")
	case !strings.HasPrefix(*content.Key, guestInfoPrefix) || len(*content.Key) == len(guestInfoPrefix):
		return fmt.Errorf("guestinfo: the key %q does not begin with %q", *content.Key, guestInfoPrefix)
	case strings.Contains(*content.Key, "/"):
		return fmt.Errorf("guestinfo: the key %q has a slash, with which the guest can only read it", *content.Key)
	}
	g.tell(*content.Key, *content.Value)
	return nil
}
