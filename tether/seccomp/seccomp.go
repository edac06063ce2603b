// Package seccomp assembles the default filter of a container: a list of allowed system calls that depends on the capabilities, for
// x86_64 and i386 callers. A call that is known and not allowed fails with EPERM, a newer one with ENOSYS, so that programs fall back.
package seccomp

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// Offsets in struct seccomp_data, little-endian.
const (
	offsetNumber       = 0
	offsetArchitecture = 4
	offsetArgument0    = 16
	high               = 4
)

const (
	architectureX8664 = 0xC000003E
	architectureI386  = 0x40000003
)

// Answers of a filter.
const (
	Allow       = 0x7fff0000
	refuse      = 0x00050000
	errorEPERM  = refuse | 1
	errorENOSYS = refuse | 38
)

// namespaceFlags are the flags of clone that make namespaces.
const namespaceFlags = 0x7E020000

// vsockFamily is not for containers: it reaches the hypervisor.
const vsockFamily = 40

// maximumInstructions is the kernel's.
const maximumInstructions = 4096

// check is what happens to one system call: code that ends in a return.
type check []bpf.Instruction

// Default assembles the filter for a process with the given capabilities (numbers).
func Default(capabilities []uint) ([]bpf.RawInstruction, error) {
	allowed := rules(capabilities)
	native := tree(intervals(allowed, 0))
	compatible := tree(intervals(allowed, 1))
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArchitecture, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: architectureX8664, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: architectureI386, SkipTrue: 1},
		bpf.RetConstant{Val: errorENOSYS},
		bpf.Jump{Skip: uint32(len(native) + 1)},
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
	}
	program = append(program, native...)
	program = append(program, bpf.LoadAbsolute{Off: offsetNumber, Size: 4})
	program = append(program, compatible...)
	if len(program) > maximumInstructions {
		return nil, fmt.Errorf("the filter has %d instructions, more than the kernel takes", len(program))
	}
	return bpf.Assemble(program)
}

// rules gives what happens to the system calls that are not refused.
func rules(capabilities []uint) map[string]check {
	allow := check{bpf.RetConstant{Val: Allow}}
	result := map[string]check{
		"clone":       unlessFlags(namespaceFlags),
		"clone3":      {bpf.RetConstant{Val: errorENOSYS}}, // Its flags are in memory; libraries fall back to clone.
		"socket":      unlessEqual(vsockFamily),
		"personality": ifOneOf(0, 8, 0x20000, 0x20008, 0xffffffff),
	}
	for _, name := range always {
		result[name] = allow
	}
	for _, capability := range capabilities {
		for _, name := range withCapability[capability] {
			result[name] = allow
		}
		if capability == capSysAdmin {
			result["clone"] = allow
		}
	}
	return result
}

func unlessFlags(flags uint32) check {
	return check{
		bpf.LoadAbsolute{Off: offsetArgument0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: flags, SkipTrue: 1},
		bpf.RetConstant{Val: errorEPERM},
		bpf.RetConstant{Val: Allow},
	}
}

func unlessEqual(value uint32) check {
	return check{
		bpf.LoadAbsolute{Off: offsetArgument0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value, SkipTrue: 1},
		bpf.RetConstant{Val: errorEPERM},
		bpf.RetConstant{Val: Allow},
	}
}

func ifOneOf(values ...uint32) check {
	code := check{
		bpf.LoadAbsolute{Off: offsetArgument0 + high, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: uint8(len(values) + 1)},
		bpf.LoadAbsolute{Off: offsetArgument0, Size: 4},
	}
	for i, value := range values {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: value, SkipTrue: uint8(len(values) - i)})
	}
	return append(code, bpf.RetConstant{Val: errorEPERM}, bpf.RetConstant{Val: Allow})
}

// interval is what happens from one system call number up to the next interval.
type interval struct {
	from uint32
	code check
}

// intervals cuts the numbers of an architecture (0 or 1, its column in numbers) into runs that are treated alike.
func intervals(allowed map[string]check, architecture int) []interval {
	byNumber := map[int]check{}
	last := 0
	for name, of := range numbers {
		if number := of[architecture]; number != absent {
			byNumber[number] = allowed[name]
			last = max(last, number)
		}
	}
	deny := check{bpf.RetConstant{Val: errorEPERM}}
	var result []interval
	for number := 0; number <= last; number++ {
		code := byNumber[number]
		if code == nil {
			code = deny
		}
		if n := len(result); n == 0 || !same(result[n-1].code, code) {
			result = append(result, interval{uint32(number), code})
		}
	}
	return append(result, interval{uint32(last + 1), check{bpf.RetConstant{Val: errorENOSYS}}})
}

func same(a, b check) bool { return len(a) == 1 && len(b) == 1 && a[0] == b[0] }

// tree searches the intervals for the loaded number, halving them at each step.
func tree(of []interval) []bpf.Instruction {
	if len(of) == 1 {
		return of[0].code
	}
	middle := len(of) / 2
	low, up := tree(of[:middle]), tree(of[middle:])
	var code []bpf.Instruction
	if len(low) <= 255 {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: of[middle].from, SkipTrue: uint8(len(low))})
	} else {
		code = append(code,
			bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: of[middle].from, SkipFalse: 1},
			bpf.Jump{Skip: uint32(len(low))})
	}
	return append(append(code, low...), up...)
}
