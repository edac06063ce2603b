package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
)

// call is a system call as the filter sees it. The test machine reads words in the network's order; so they are written in it.
type call struct {
	name         string
	architecture uint32
	number       int // when name is empty
	first        uint64
}

func (c call) data() []byte {
	number := c.number
	if c.name != "" {
		column := 0
		if c.architecture == architectureI386 {
			column = 1
		}
		number = numbers()[c.name][column]
	}
	b := make([]byte, 64)
	binary.BigEndian.PutUint32(b[offsetNumber:], uint32(number))
	binary.BigEndian.PutUint32(b[offsetArchitecture:], c.architecture)
	binary.BigEndian.PutUint32(b[offsetArgument0:], uint32(c.first))
	binary.BigEndian.PutUint32(b[offsetArgument0+high:], uint32(c.first>>32))
	return b
}

func machine(t *testing.T, capabilities ...uint) *bpf.VM {
	t.Helper()
	raw, err := Default(capabilities)
	if err != nil {
		t.Fatal(err)
	}
	program := make([]bpf.Instruction, len(raw))
	for i, instruction := range raw {
		program[i] = instruction.Disassemble()
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func expect(t *testing.T, vm *bpf.VM, c call, want int) {
	t.Helper()
	got, err := vm.Run(c.data())
	if err != nil || got != want {
		t.Errorf("%s/%d(%#x) of %#x: %#x, %v; want %#x", c.name, c.number, c.first, c.architecture, got, err, want)
	}
}

func TestOrdinaryCalls(t *testing.T) {
	vm := machine(t)
	const native, compatible = architectureX8664, architectureI386
	tests := []struct {
		call
		want int
	}{
		{call{"read", native, 0, 0}, Allow},
		{call{"execve", native, 0, 0}, Allow},
		{call{"futex_waitv", native, 0, 0}, Allow},
		{call{"openat2", native, 0, 0}, Allow},
		{call{"arch_prctl", native, 0, 0}, Allow},
		{call{"waitpid", compatible, 0, 0}, Allow},
		{call{"socketcall", compatible, 0, 0}, Allow},
		{call{"clock_gettime64", compatible, 0, 0}, Allow},
		{call{"mount", native, 0, 0}, errorEPERM},
		{call{"mount", compatible, 0, 0}, errorEPERM},
		{call{"unshare", native, 0, 0}, errorEPERM},
		{call{"setns", native, 0, 0}, errorEPERM},
		{call{"bpf", native, 0, 0}, errorEPERM},
		{call{"reboot", native, 0, 0}, errorEPERM},
		{call{"init_module", native, 0, 0}, errorEPERM},
		{call{"kexec_load", native, 0, 0}, errorEPERM},
		{call{"io_uring_setup", native, 0, 0}, errorEPERM},
		{call{"userfaultfd", native, 0, 0}, errorEPERM},
		{call{"add_key", native, 0, 0}, errorEPERM},
		{call{"perf_event_open", native, 0, 0}, errorEPERM},
		{call{"clone3", native, 0, 0}, errorENOSYS},
		{call{"", native, 450 + 100, 0}, errorENOSYS},
		{call{"", native, 0x40000000 + 1, 0}, errorENOSYS}, // x32
		{call{"", native, 0xffffffff, 0}, errorENOSYS},
		{call{"", 0xC00000B7, 0, 0}, errorENOSYS}, // another architecture
		{call{"clone", native, 0, 0x01200011}, Allow},
		{call{"clone", native, 0, 0x10000000}, errorEPERM}, // CLONE_NEWUSER
		{call{"clone", native, 0, 0x00020000}, errorEPERM}, // CLONE_NEWNS
		{call{"clone", compatible, 0, 0x40000000}, errorEPERM},
		{call{"socket", native, 0, 2}, Allow},
		{call{"socket", native, 0, 16}, Allow},
		{call{"socket", native, 0, 40}, errorEPERM}, // AF_VSOCK
		{call{"personality", native, 0, 0}, Allow},
		{call{"personality", native, 0, 0x20008}, Allow},
		{call{"personality", native, 0, 0xffffffff}, Allow},
		{call{"personality", native, 0, 0x40000}, errorEPERM}, // ADDR_NO_RANDOMIZE
		{call{"personality", native, 0, 0x100000000}, errorEPERM},
	}
	for _, test := range tests {
		expect(t, vm, test.call, test.want)
	}
}

func TestCapabilitiesOpenTheirCalls(t *testing.T) {
	for capability, names := range withCapability() {
		vm := machine(t, capability)
		for _, name := range names {
			for column, architecture := range []uint32{architectureX8664, architectureI386} {
				if numbers()[name][column] != absent {
					expect(t, vm, call{name: name, architecture: architecture}, Allow)
				}
			}
		}
	}
	expect(t, machine(t, capSysAdmin), call{"clone", architectureX8664, 0, 0x10000000}, Allow)
}

func TestEveryNameIsKnownAndAnsweredAsListed(t *testing.T) {
	vm := machine(t)
	allowed := map[string]bool{}
	for _, name := range always() {
		if _, known := numbers()[name]; !known {
			t.Errorf("%s is in neither table", name)
		}
		allowed[name] = true
	}
	special := map[string]bool{"clone": true, "clone3": true, "socket": true, "personality": true}
	for name, of := range numbers() {
		for column, architecture := range []uint32{architectureX8664, architectureI386} {
			if of[column] == absent || special[name] {
				continue
			}
			want := errorEPERM
			if allowed[name] {
				want = Allow
			}
			expect(t, vm, call{name: name, architecture: architecture}, want)
		}
	}
}

func TestFilterIsSmall(t *testing.T) {
	raw, err := Default(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d instructions", len(raw))
	if len(raw) > 1000 {
		t.Errorf("%d instructions", len(raw))
	}
}
