package machines

import (
	"bytes"
	"net"
)

// The commands and options of telnet that a serial port meets.
const (
	telnetSE   = 240
	telnetSB   = 250
	telnetWill = 251
	telnetWont = 252
	telnetDo   = 253
	telnetDont = 254
	telnetIAC  = 255

	telnetBinary = 0
	telnetEcho   = 1
	telnetGo     = 3 // suppress go-ahead
)

// telnetGreeting is what a host says first: eight bits both ways, no go-aheads, the guest echoes.
var telnetGreeting = []byte{
	telnetIAC, telnetWill, telnetBinary, telnetIAC, telnetDo, telnetBinary,
	telnetIAC, telnetWill, telnetGo, telnetIAC, telnetDo, telnetGo, telnetIAC, telnetWill, telnetEcho,
}

// telnet is a connection whose bytes are the serial line's; the protocol stays inside. One goroutine may read while another writes.
type telnet struct {
	net.Conn
	// pending is a command of which bytes are still to come, negotiating an SB that has not ended.
	pending     []byte
	negotiating bool
}

func newTelnet(connection net.Conn) (net.Conn, error) {
	if _, err := connection.Write(telnetGreeting); err != nil {
		connection.Close()
		return nil, err
	}
	return &telnet{Conn: connection}, nil
}

// Read gives the line's bytes. It does not return with none and no error.
func (t *telnet) Read(b []byte) (int, error) {
	for {
		n, err := t.Conn.Read(b)
		plain := t.filter(b[:n])
		if plain > 0 || err != nil {
			return plain, err
		}
	}
}

// filter takes the protocol out, in place.
func (t *telnet) filter(b []byte) int {
	plain := 0
	for _, c := range b {
		switch {
		case len(t.pending) > 0:
			if t.command(c) {
				b[plain] = c
				plain++
			}
		case c == telnetIAC:
			t.pending = append(t.pending, c)
		case !t.negotiating:
			b[plain] = c
			plain++
		}
	}
	return plain
}

// command takes the next byte of a command and tells whether it is a byte of the line: the escaped 255.
func (t *telnet) command(c byte) bool {
	t.pending = append(t.pending, c)
	if len(t.pending) == 2 && c >= telnetWill && c <= telnetDont {
		return false
	}
	command := t.pending
	t.pending = nil
	switch verb := command[1]; {
	case verb == telnetIAC:
		return !t.negotiating
	case verb == telnetSB:
		t.negotiating = true
	case verb == telnetSE:
		t.negotiating = false
	case len(command) == 3:
		t.answer(verb, command[2])
	}
	return false
}

// answer refuses the options that were not offered; those that were need no answer.
func (t *telnet) answer(verb, option byte) {
	known := option == telnetBinary || option == telnetGo
	switch {
	case verb == telnetWill && !known:
		_, _ = t.Conn.Write([]byte{telnetIAC, telnetDont, option})
	case verb == telnetDo && !known && option != telnetEcho:
		_, _ = t.Conn.Write([]byte{telnetIAC, telnetWont, option})
	}
}

// Write sends the line's bytes.
func (t *telnet) Write(b []byte) (int, error) {
	if _, err := t.Conn.Write(bytes.ReplaceAll(b, []byte{telnetIAC}, []byte{telnetIAC, telnetIAC})); err != nil {
		return 0, err
	}
	return len(b), nil
}
