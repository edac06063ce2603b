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
	both := rulesFor(capabilities)
	native := tree(both[0].intervals())
	compatible := tree(both[1].intervals())
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

// action is what happens to one system call: an index of the checks.
type action uint8

const (
	deny action = iota
	allow
	unsupported
	cloneCheck
	socketCheck
	personalityCheck
)

var checks = [...]check{
	deny:             {bpf.RetConstant{Val: errorEPERM}},
	allow:            {bpf.RetConstant{Val: Allow}},
	unsupported:      {bpf.RetConstant{Val: errorENOSYS}},
	cloneCheck:       unlessFlags(namespaceFlags),
	socketCheck:      unlessEqual(vsockFamily),
	personalityCheck: ifOneOf(0, 8, 0x20000, 0x20008, 0xffffffff),
}

// maximumNumber is above every number of both tables.
const maximumNumber = 512

// rules are the actions of an architecture's system calls by number; those above last are newer than the tables.
type rules struct {
	actions [maximumNumber]action
	last    int
}

// rulesFor gives the rules of both architectures.
func rulesFor(capabilities []uint) *[2]rules {
	both := &[2]rules{}
	for _, of := range numbers() {
		for architecture, number := range of {
			both[architecture].last = max(both[architecture].last, number)
		}
	}
	set := func(a action, names ...string) {
		for _, name := range names {
			for architecture, number := range numbers()[name] {
				if number != absent {
					both[architecture].actions[number] = a
				}
			}
		}
	}
	set(allow, always()...)
	set(cloneCheck, "clone")
	set(unsupported, "clone3") // Its flags are in memory; libraries fall back to clone.
	set(socketCheck, "socket")
	set(personalityCheck, "personality")
	for _, capability := range capabilities {
		set(allow, withCapability()[capability]...)
		if capability == capSysAdmin {
			set(allow, "clone")
		}
	}
	return both
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
	from   uint32
	action action
}

// intervals cuts the numbers into runs that are treated alike.
func (r *rules) intervals() []interval {
	result := []interval{{0, r.actions[0]}}
	for number := 1; number <= r.last; number++ {
		if a := r.actions[number]; a != result[len(result)-1].action {
			result = append(result, interval{uint32(number), a})
		}
	}
	return append(result, interval{uint32(r.last + 1), unsupported})
}

// tree searches the intervals for the loaded number, halving them at each step.
func tree(of []interval) []bpf.Instruction {
	if len(of) == 1 {
		return checks[of[0].action]
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
