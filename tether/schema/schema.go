// Package schema has those messages of the contract that a containerVM needs to start its process, as plain structs, and reads them from
// protobuf's wire format. What runs at the start uses these: to make protobuf's own types ready costs more time than the start itself.
package schema

import "time"

// Phase is what the containerVM does.
type Phase uint8

// The phases, with the numbers of the contract.
const (
	Unspecified Phase = iota
	Ready
	Running
	Exited
)

// String gives the name that the contract has for a phase.
func (p Phase) String() string {
	return [...]string{"PHASE_UNSPECIFIED", "READY", "RUNNING", "EXITED"}[p]
}

// State is what the containerVM is doing; a time that is zero is not known.
type State struct {
	ID, BootID, TetherVersion string
	Sequence                  uint64
	Phase                     Phase
	Attempt                   uint32
	StartedAt, FinishedAt     time.Time
	ExitCode                  int32
	Signal                    uint32
	Reason, Message           string
}

// Process is the container's process, image configuration and overrides already merged. May hold secrets.
type Process struct {
	Arguments, Environment     []string
	WorkingDirectory, User     string
	SupplementaryGroups        []uint32
	FilesystemGroup            *uint32
	Capabilities               []string
	NoNewPrivileges            bool
	Unconfined                 bool // without the default seccomp filter
	MaskedPaths, ReadOnlyPaths []string
	ReadOnlyRoot, Privileged   bool
	Terminal                   bool
	Stdin, StdinOnce           bool
	Limits                     []ResourceLimit
	Mounts                     []Mount
	NameResolution             NameResolution
	HostAliases                []HostAlias
	Sysctls                    map[string]string
	StopSignal                 string
	TerminationMessagePath     string
	FallbackToLogs             bool
	SharedMemorySize           uint64
	Hostname, DomainName       string
}

// SourceKind tells what a mount mounts.
type SourceKind uint8

// The kinds of sources.
const (
	NoSource         SourceKind = iota
	ScratchDirectory            // of that name
	Files                       // the volume of that name
	Memory                      // of that name
	Disk                        // with that serial number
)

// Mount is one mount of a container.
type Mount struct {
	Destination string
	Kind        SourceKind
	Source      string
	SizeLimit   uint64 // of Memory
	ReadOnly    bool
	SubPath     string
}

// ResourceLimit is one limit of setrlimit(2), by its name without RLIMIT_.
type ResourceLimit struct {
	Name       string
	Soft, Hard uint64
}

// NameResolution is what resolv.conf says.
type NameResolution struct {
	Servers, Searches, Options []string
}

// HostAlias is a line of /etc/hosts.
type HostAlias struct {
	Address string
	Names   []string
}

// File is one file of a volume.
type File struct {
	Path    string
	Content []byte
	Mode    uint32
}

// Volume is an in-memory volume to write.
type Volume struct {
	Name        string
	Files       []File
	Group, User *uint32
}

// Start asks for an attempt; a Clock of zero was not given. Process is nil when it was not.
type Start struct {
	Attempt uint32
	Process *Process
	Clock   time.Time
}

// Initial is what a containerVM starts by itself.
type Initial struct {
	Volumes []*Volume
	Start   *Start
}
