package process

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deviceFilter keeps an ordinary container from the VM's disks and ports, for which it could make nodes. It may make any node and use the
// harmless ones. A privileged container has no filter.
type deviceFilter struct {
	program  int
	attached bool
}

// The context of a device program: access in the upper half and type in the lower half of the first word, then major and minor.
const (
	offsetAccess, offsetMajor, offsetMinor = 0, 4, 8
	typeCharacter                          = 2
	accessMknod                            = 1
)

const terminalMajor = 136

// usableDevices are the character devices that every container may use, by major number; a major number without minors means all.
var usableDevices = []struct {
	major  int32
	minors []int32
}{
	{terminalMajor, nil},
	{1, []int32{3, 5, 7, 8, 9}}, // null, zero, full, random, urandom
	{5, []int32{0, 2}},          // tty, ptmx
}

// eBPF instructions, as far as they are needed here.
const (
	opLoadWord   = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W
	opMove       = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K
	opMoveReg    = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_X
	opAnd        = unix.BPF_ALU64 | unix.BPF_AND | unix.BPF_K
	opShiftRight = unix.BPF_ALU64 | unix.BPF_RSH | unix.BPF_K
	opJumpNot    = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K
	opExit       = unix.BPF_JMP | unix.BPF_EXIT
)

type assembler struct{ code []byte }

func (a *assembler) add(op, target, source uint8, offset int16, value int32) {
	a.code = append(a.code, op, target|source<<4)
	a.code = binary.NativeEndian.AppendUint16(a.code, uint16(offset))
	a.code = binary.NativeEndian.AppendUint32(a.code, uint32(value))
}

func (a *assembler) answer(allowed int32) {
	a.add(opMove, 0, 0, 0, allowed)
	a.add(opExit, 0, 0, 0, 0)
}

// answerLength is the number of instructions of an answer.
const answerLength = 2

func deviceProgram() []byte {
	const access, kind, major, minor = 2, 3, 4, 5
	a := &assembler{}
	a.add(opLoadWord, access, 1, offsetAccess, 0)
	a.add(opMoveReg, kind, access, 0, 0)
	a.add(opAnd, kind, 0, 0, 0xffff)
	a.add(opShiftRight, access, 0, 0, 16)
	a.add(opLoadWord, major, 1, offsetMajor, 0)
	a.add(opLoadWord, minor, 1, offsetMinor, 0)
	a.add(opJumpNot, access, 0, answerLength, accessMknod)
	a.answer(1)
	a.add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, kind, 0, answerLength, typeCharacter)
	a.answer(0)
	for _, device := range usableDevices {
		if device.minors == nil {
			a.add(opJumpNot, major, 0, answerLength, device.major)
			a.answer(1)
		}
		for _, number := range device.minors {
			a.add(opJumpNot, major, 0, 1+answerLength, device.major)
			a.add(opJumpNot, minor, 0, answerLength, number)
			a.answer(1)
		}
	}
	a.answer(0)
	return a.code
}

func newDeviceFilter() (*deviceFilter, error) {
	code := deviceProgram()
	license := []byte("Apache-2.0\x00")
	attributes := struct {
		kind, instructions uint32
		code, license      uint64
		rest               [12]uint64
	}{
		kind: unix.BPF_PROG_TYPE_CGROUP_DEVICE, instructions: uint32(len(code) / 8),
		code: uint64(uintptr(unsafe.Pointer(&code[0]))), license: uint64(uintptr(unsafe.Pointer(&license[0]))),
	}
	program, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attributes), unsafe.Sizeof(attributes))
	if err != nil {
		return nil, fmt.Errorf("load the device filter (the kernel needs CONFIG_CGROUP_BPF): %w", err)
	}
	return &deviceFilter{program: program}, nil
}

// apply puts the filter on the cgroup, or takes it away.
func (f *deviceFilter) apply(cgroup *os.File, wanted bool) error {
	if f.attached == wanted {
		return nil
	}
	attributes := struct{ target, program, kind, flags uint32 }{
		target: uint32(cgroup.Fd()), program: uint32(f.program), kind: unix.BPF_CGROUP_DEVICE,
	}
	command := uintptr(unix.BPF_PROG_DETACH)
	if wanted {
		command = unix.BPF_PROG_ATTACH
	}
	if _, err := bpf(command, unsafe.Pointer(&attributes), unsafe.Sizeof(attributes)); err != nil {
		return fmt.Errorf("apply the device filter: %w", err)
	}
	f.attached = wanted
	return nil
}

func bpf(command uintptr, attributes unsafe.Pointer, size uintptr) (int, error) {
	fd, _, e := unix.Syscall(unix.SYS_BPF, command, uintptr(attributes), size)
	if e != 0 {
		return 0, e
	}
	return int(fd), nil
}
