// Package link makes a byte stream that may carry stale bytes, lose its peer without notice and be reopened at any time into a sequence
// of sessions with clean beginnings.
//
// The peers exchange 44-byte frames. The host repeats HELLO with a fresh nonce until the guest answers ACK, then sends START; the guest
// answers READY, and from the next byte on both directions carry the session. A HELLO with another nonce in mid-stream ends the session.
//
// A host that was dialled and does not know by whom asks first: WHO, which the guest answers with NAME.
//
// With BEGIN in the place of START the session is resumable: both sides keep what they sent until the other has told, by RECEIVED, that it
// came, and when the host has a new connection (the hypervisor dialled again, or the VM has moved) each tells by RESUME how much it has
// received, and sends again what came after. A guest that has no such session answers GONE.
package link

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// FrameSize is the length of every frame in bytes.
const FrameSize = 44

// NonceSize is the length of a nonce in bytes.
const NonceSize = 16

const checkedSize = 36

// Magic begins every frame. No TLS record begins with its first byte.
var Magic = [16]byte{'B', 'E', 'R', 'T', 'H', '-', 'L', 'I', 'N', 'K', '-', '0', '1', '\r', '\n', 0}

// Type tells what a frame says.
type Type byte

// The frames: the handshake in its order; the two that come before it where the guest is not known; those of a resumable session.
const (
	Hello    Type = 1  // host to guest
	Ack      Type = 2  // guest to host
	Start    Type = 3  // host to guest
	Ready    Type = 4  // guest to host
	Who      Type = 5  // host to guest
	Name     Type = 6  // guest to host; in the nonce's place is its name
	Begin    Type = 7  // host to guest, instead of START
	Received Type = 8  // both ways; in the nonce's place is a Position
	Resume   Type = 9  // host to guest, and its answer; in the nonce's place is a Position
	Gone     Type = 10 // guest to host, with RESUME's Position
)

// Nonce names one attempt at a session.
type Nonce [NonceSize]byte

// NameOf gives what a containerVM answers to WHO: the first bytes of the SHA-256 of its id. It is a claim, which the session's certificate
// proves.
func NameOf(containerVMID string) Nonce {
	sum := sha256.Sum256([]byte(containerVMID))
	return Nonce(sum[:NonceSize])
}

// Position tells how many bytes of a session were received: the first half of the session's nonce, then the number in big-endian order.
func Position(session Nonce, received uint64) Nonce {
	binary.BigEndian.PutUint64(session[NonceSize/2:], received)
	return session
}

// positionIn gives the number of bytes in a Position, and whether it is the session's.
func positionIn(position, session Nonce) (uint64, bool) {
	return binary.BigEndian.Uint64(position[NonceSize/2:]), bytes.Equal(position[:NonceSize/2], session[:NonceSize/2])
}

// Frame is one message of the handshake.
type Frame struct {
	Type  Type
	Nonce Nonce
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errNotAFrame = errors.New("not a frame")

// Bytes gives the frame as it goes over the wire.
func (f Frame) Bytes() [FrameSize]byte {
	var b [FrameSize]byte
	copy(b[:], Magic[:])
	b[16] = byte(f.Type)
	copy(b[20:], f.Nonce[:])
	binary.BigEndian.PutUint32(b[checkedSize:], crc32.Checksum(b[:checkedSize], castagnoli))
	return b
}

// parseFrame reads a frame of FrameSize bytes; it refuses a wrong magic, an unknown type, a non-zero reserved byte and a wrong sum.
func parseFrame(b []byte) (Frame, error) {
	if len(b) != FrameSize || !bytes.Equal(b[:16], Magic[:]) {
		return Frame{}, errNotAFrame
	}
	if binary.BigEndian.Uint32(b[checkedSize:]) != crc32.Checksum(b[:checkedSize], castagnoli) {
		return Frame{}, errNotAFrame
	}
	f := Frame{Type: Type(b[16])}
	if f.Type < Hello || f.Type > Gone || b[17]|b[18]|b[19]|b[40]|b[41]|b[42]|b[43] != 0 {
		return Frame{}, errNotAFrame
	}
	copy(f.Nonce[:], b[20:checkedSize])
	return f, nil
}
