// Package shim is the part of the tether that runs inside the container's namespaces, between fork and exec.
//
// The tether starts its own binary again with the name Name; the package's init function then takes over as early as Go's order of
// initialisation allows, before most packages of the gRPC server have cost their time. So this package imports little.
package shim

// Name is argv[0] of the tether's binary when it is to be the shim.
const Name = "berth-shim"

// The file descriptors that the shim finds beside its standard streams.
const (
	SpecFD = 3 // the Spec as JSON
	SyncFD = 4 // a seqpacket socket: the terminal's master goes up it, then a Failure or, when the exec worked, its end
	PidFD  = 5 // for a joining shim: a pidfd of the container's first process
)

// Spec says what to become.
type Spec struct {
	// Root is what to build first; nil to join the namespaces of the process of PidFD.
	Root *Root `json:"root,omitempty"`

	Arguments           []string `json:"arguments"`
	Environment         []string `json:"environment"`
	WorkingDirectory    string   `json:"workingDirectory"`
	User                string   `json:"user"`
	SupplementaryGroups []uint32 `json:"supplementaryGroups"`
	Capabilities        []uint   `json:"capabilities"`
	NoNewPrivileges     bool     `json:"noNewPrivileges"`
	// Seccomp is an assembled filter as the kernel takes it, an array of struct sock_filter; empty for none.
	Seccomp  []byte  `json:"seccomp"`
	Limits   []Limit `json:"limits"`
	Terminal bool    `json:"terminal"`
	Columns  uint16  `json:"columns"`
	Rows     uint16  `json:"rows"`
	Hostname string  `json:"hostname"`
}

// Limit is one resource limit.
type Limit struct {
	Resource int    `json:"resource"`
	Soft     uint64 `json:"soft"`
	Hard     uint64 `json:"hard"`
}

// Root is the container's file system and what belongs to its namespaces.
type Root struct {
	// The directory to mount the overlay at, and the overlay's options.
	Target         string            `json:"target"`
	OverlayOptions string            `json:"overlayOptions"`
	ReadOnly       bool              `json:"readOnly"`
	Privileged     bool              `json:"privileged"`
	SharedMemory   uint64            `json:"sharedMemory"`
	Mounts         []Mount           `json:"mounts"`
	Masked         []string          `json:"masked"`
	ReadOnlyPaths  []string          `json:"readOnlyPaths"`
	Sysctls        map[string]string `json:"sysctls"`
	// Devices beside the usual ones, for a privileged container.
	Devices []Device `json:"devices"`
}

// Mount binds a file or directory of the tether into the container.
type Mount struct {
	Source      string  `json:"source"`
	Destination string  `json:"destination"`
	SubPath     string  `json:"subPath"`
	MakeSubPath bool    `json:"makeSubPath"`
	ReadOnly    bool    `json:"readOnly"`
	Group       *uint32 `json:"group,omitempty"`
}

// Device is a device node.
type Device struct {
	Path  string `json:"path"`
	Mode  uint32 `json:"mode"`
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
}

// Failure says why the process could not be started.
type Failure struct {
	Message string `json:"message"`
	// ExitCode is 127 when the command was not found, 126 when it may not be executed, else 128.
	ExitCode int `json:"exitCode"`
}
