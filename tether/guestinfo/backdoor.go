package guestinfo

import (
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"
)

// registers are what a call of the backdoor takes and gives.
type registers struct{ ax, bx, cx, dx, si, di uint32 }

// in reads the port in dx into ax. VMware takes a read of its port with its magic number for a call, whatever the privilege of the caller.
func in(r *registers)

func cpuid(leaf uint32) (ax, bx, cx, dx uint32)

const (
	backdoorMagic = 0x564d5868
	backdoorPort  = 0x5658
)

// onVMware tells whether the hypervisor names itself so.
func onVMware() bool {
	if _, _, features, _ := cpuid(1); features>>31 == 0 {
		return false
	}
	_, bx, cx, dx := cpuid(0x40000000)
	var name []byte
	for _, word := range []uint32{bx, cx, dx} {
		name = binary.LittleEndian.AppendUint32(name, word)
	}
	return string(name) == "VMwareVMware"
}

// backdoor makes one call. A hypervisor that is told to heed the processor's rules (monitor_control.restrict_backdoor) wants the permission
// for the port, which a thread has; where the kernel does not give it, the call may do without, or else ends this process with a fault.
func backdoor(r *registers) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Ioperm(backdoorPort, 4, 1) == nil {
		defer func() { _ = unix.Ioperm(backdoorPort, 4, 0) }()
	}
	r.ax, r.dx = backdoorMagic, r.dx&0xffff0000|backdoorPort
	in(r)
	return nil
}
