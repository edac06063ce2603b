// Package guestinfo exchanges key/value pairs with the hypervisor: on VMware through its backdoor, in the vCenter lab, which has no such
// thing, through a door of the lab's own.
//
// What is in guestinfo is no secret: whoever may look at the VM in the vCenter reads it, and so does every process in the VM.
package guestinfo

import (
	"errors"
	"strings"
)

// The keys.
const (
	// ConfigKey has the boot configuration. The slash makes it one that a guest can only read.
	ConfigKey = "guestinfo.berth./config"
	// StateKey is told the present state, as a JSON line without its newline.
	StateKey = "guestinfo.berth.state"
	// CertificateKey is told the SHA-256 of the certificate that the tether made for this boot, in hexadecimal digits.
	CertificateKey = "guestinfo.berth.certificate"
	// AddressKey is where vCenter takes a guest's address from.
	AddressKey = "guestinfo.ip"
)

// ErrNone tells that this machine has no guestinfo.
var ErrNone = errors.New("this machine has no guestinfo")

// Door is the way to a VM's pairs. Its methods may be called at once.
type Door interface {
	// Get gives the value of a key, empty when there is none.
	Get(key string) (string, error)
	// Set tells a value; an empty one removes the key.
	Set(key, value string) error
}

// Open gives the machine's door, or ErrNone.
func Open() (Door, error) {
	lab, err := openLab()
	if err != nil || lab != nil {
		return lab, err
	}
	if onVMware() {
		return &vmware{call: backdoor}, nil
	}
	return nil, ErrNone
}

// States is the sink of a state.Store that tells each line.
type States struct{ Door }

// Write tells one line.
func (s States) Write(line []byte) (int, error) {
	if err := s.Set(StateKey, strings.TrimSuffix(string(line), "\n")); err != nil {
		return 0, err
	}
	return len(line), nil
}
