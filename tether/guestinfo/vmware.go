package guestinfo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// VMware's remote calls: a channel is opened, a text is sent and one received, each four bytes at a time in a register. It is slow and needs no
// buffer that the hypervisor could not read, and the texts here are short.
const (
	commandMessage = 30
	protocolRPCI   = 0x49435052
	flagCookie     = 1 << 31

	typeOpen        = 0
	typeSendSize    = 1
	typeSend        = 2
	typeReceiveSize = 3
	typeReceive     = 4
	typeReceived    = 5
	typeClose       = 6

	statusSuccess    = 1
	statusReply      = 2
	statusCheckpoint = 0x10

	replyLimit = 4 << 20
)

// errCheckpoint tells that the VM was moved or saved in the middle of a call, which must be made again.
var errCheckpoint = errors.New("interrupted by a checkpoint")

// attempts are how often a call is made again.
const attempts = 10

// vmware is the door of VMware's hypervisors.
type vmware struct {
	call func(*registers) error
	mu   sync.Mutex
}

func (v *vmware) Get(key string) (string, error) {
	value, ok, err := v.request("info-get " + key)
	if err != nil {
		return "", fmt.Errorf("info-get %s: %w", key, err)
	}
	if !ok {
		return "", nil
	}
	return value, nil
}

func (v *vmware) Set(key, value string) error {
	answer, ok, err := v.request("info-set " + key + " " + value)
	if err == nil && !ok {
		err = errors.New(answer)
	}
	if err != nil {
		return fmt.Errorf("info-set %s: %w", key, err)
	}
	return nil
}

// request gives the answer to a text, and whether it is that of a success.
func (v *vmware) request(text string) (answer string, ok bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for range attempts {
		answer, err = v.once(text)
		if !errors.Is(err, errCheckpoint) {
			break
		}
	}
	if err != nil {
		return "", false, err
	}
	status, rest, _ := strings.Cut(answer, " ")
	switch status {
	case "1":
		return rest, true, nil
	case "0":
		return rest, false, nil
	}
	return "", false, fmt.Errorf("the hypervisor's answer %.20q has no status", answer)
}

func (v *vmware) once(text string) (string, error) {
	c := channel{call: v.call}
	opened, err := c.message(typeOpen, protocolRPCI|flagCookie)
	if err != nil {
		return "", fmt.Errorf("open a channel: %w", err)
	}
	c.id, c.high, c.low = opened.dx&0xffff0000, opened.si, opened.di
	defer func() { _, _ = c.message(typeClose, 0) }()
	if err := c.send([]byte(text)); err != nil {
		return "", fmt.Errorf("send: %w", err)
	}
	answer, err := c.receive()
	if err != nil {
		return "", fmt.Errorf("receive: %w", err)
	}
	return string(answer), nil
}

// channel is an open one; its cookies go with every message.
type channel struct {
	call          func(*registers) error
	id, high, low uint32
}

// message makes one call of a type with a value.
func (c *channel) message(kind, value uint32) (registers, error) {
	r := registers{bx: value, cx: kind<<16 | commandMessage, dx: c.id, si: c.high, di: c.low}
	if err := c.call(&r); err != nil {
		return r, err
	}
	switch status := r.cx >> 16; {
	case status&statusSuccess != 0:
		return r, nil
	case status&statusCheckpoint != 0:
		return r, errCheckpoint
	default:
		return r, fmt.Errorf("the hypervisor answers with status %#x", status)
	}
}

func (c *channel) send(text []byte) error {
	if _, err := c.message(typeSendSize, uint32(len(text))); err != nil {
		return err
	}
	for len(text) > 0 {
		var word [4]byte
		n := copy(word[:], text)
		if _, err := c.message(typeSend, binary.LittleEndian.Uint32(word[:])); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

func (c *channel) receive() ([]byte, error) {
	r, err := c.message(typeReceiveSize, 0)
	switch {
	case err != nil:
		return nil, err
	case r.cx>>16&statusReply == 0:
		return nil, errors.New("there is no answer")
	case r.bx > replyLimit:
		return nil, fmt.Errorf("the answer has %d bytes", r.bx)
	}
	size := int(r.bx)
	answer := make([]byte, 0, size+3)
	for len(answer) < size {
		r, err := c.message(typeReceive, statusSuccess)
		if err != nil {
			return nil, err
		}
		answer = binary.LittleEndian.AppendUint32(answer, r.bx)
	}
	_, err = c.message(typeReceived, statusSuccess)
	return answer[:size], err
}
