package guestinfo

import (
	"encoding/binary"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
)

// hypervisor is the other end of the backdoor, as strict as one could be.
type hypervisor struct {
	t     *testing.T
	pairs map[string]string
	open  map[uint32]*conversation
	last  uint32
	// checkpoint is before how many messages one interrupts.
	checkpoint int
}

type conversation struct {
	request, answer []byte
	size            int
}

func newHypervisor(t *testing.T, pairs map[string]string) *hypervisor {
	return &hypervisor{t: t, pairs: maps.Clone(pairs), open: map[uint32]*conversation{}, checkpoint: -1}
}

const cookieHigh, cookieLow = 0xaaaa, 0xbbbb

func (h *hypervisor) call(r *registers) error {
	if r.cx&0xffff != commandMessage {
		h.t.Errorf("command %d", r.cx&0xffff)
	}
	kind, id := r.cx>>16, r.dx>>16
	r.cx &= 0xffff
	if h.checkpoint--; h.checkpoint == -1 {
		clear(h.open)
		r.cx |= statusCheckpoint << 16
		return nil
	}
	if kind == typeOpen {
		if r.bx != protocolRPCI|flagCookie {
			h.t.Errorf("a channel for %#x", r.bx)
		}
		h.last++
		h.open[h.last] = &conversation{}
		r.cx |= statusSuccess << 16
		r.dx, r.si, r.di = h.last<<16|r.dx&0xffff, cookieHigh, cookieLow
		return nil
	}
	c := h.open[id]
	if c == nil || r.si != cookieHigh || r.di != cookieLow {
		return nil // and no success
	}
	r.cx |= statusSuccess << 16
	switch kind {
	case typeSendSize:
		c.size = int(r.bx)
	case typeSend:
		c.request = binary.LittleEndian.AppendUint32(c.request, r.bx)
		if len(c.request) >= c.size {
			c.answer = []byte(h.answer(string(c.request[:c.size])))
		}
	case typeReceiveSize:
		r.cx |= statusReply << 16
		r.bx, r.dx = uint32(len(c.answer)), typeSendSize<<16|r.dx&0xffff
	case typeReceive:
		var word [4]byte
		c.answer = c.answer[copy(word[:], c.answer):]
		r.bx = binary.LittleEndian.Uint32(word[:])
	case typeReceived:
		if len(c.answer) > 0 {
			h.t.Errorf("%d bytes of the answer are left", len(c.answer))
		}
	case typeClose:
		delete(h.open, id)
	}
	return nil
}

func (h *hypervisor) answer(text string) string {
	command, rest, _ := strings.Cut(text, " ")
	switch command {
	case "info-get":
		if value, ok := h.pairs[rest]; ok {
			return "1 " + value
		}
		return "0 No value found"
	case "info-set":
		key, value, _ := strings.Cut(rest, " ")
		if strings.Contains(key, "/") {
			return "0 Permission denied"
		}
		h.pairs[key] = value
		return "1 "
	}
	return "0 Unknown command"
}

func TestPairsOverTheBackdoor(t *testing.T) {
	long := strings.Repeat("ä long value, ", 1000)
	for checkpoint := -1; checkpoint < 40; checkpoint++ {
		h := newHypervisor(t, map[string]string{ConfigKey: long, "guestinfo.empty": ""})
		v := &vmware{call: h.call}
		h.checkpoint = checkpoint
		for key, want := range map[string]string{ConfigKey: long, "guestinfo.empty": "", "guestinfo.none": ""} {
			if value, err := v.Get(key); err != nil || value != want {
				t.Fatalf("%s is %.20q, %v", key, value, err)
			}
		}
		for _, value := range []string{"1", "12", "123", `{"a": "b c"}`, long} {
			if err := v.Set(StateKey, value); err != nil || h.pairs[StateKey] != value {
				t.Fatalf("set to %.20q: %.20q, %v", value, h.pairs[StateKey], err)
			}
		}
		if err := v.Set(ConfigKey, "changed"); err == nil || !strings.Contains(err.Error(), "Permission denied") {
			t.Errorf("a key with a slash can be set: %v", err)
		}
		if len(h.open) > 0 {
			t.Errorf("%d channels are left open", len(h.open))
		}
	}
}

func TestEndlessCheckpointsAreGivenUp(t *testing.T) {
	v := &vmware{call: func(r *registers) error {
		r.cx = statusCheckpoint << 16
		return nil
	}}
	if _, err := v.Get(ConfigKey); !errors.Is(err, errCheckpoint) {
		t.Errorf("it gives %v", err)
	}
}

// TestVersionOfQEMU is run as the first process of a VM by the tests in vmtest: of the backdoor's functions, QEMU has this one.
func TestVersionOfQEMU(t *testing.T) {
	if os.Getenv("TETHER_QEMU_BACKDOOR") == "" {
		t.Skip("tether/test-vm runs this in QEMU")
	}
	r := registers{cx: 10, si: 1, di: 2}
	if err := backdoor(&r); err != nil {
		t.Fatal(err)
	}
	if r.bx != backdoorMagic || r.ax != 6 || r.si != 1 || r.di != 2 || r.dx&0xffff != backdoorPort {
		t.Errorf("the registers are %#x", r)
	}
}
