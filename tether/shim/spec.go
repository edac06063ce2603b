// Package shim is the part of the tether that runs inside the container's namespaces, between fork and exec.
//
// The tether starts its own binary again with the name Name; the package's init function then takes over as early as Go's order of
// initialisation allows, before most packages of the gRPC server have cost their time. So this package imports little.
package shim

// Name is argv[0] of the tether's binary when it is to be the shim.
const Name = "berth-shim"

// The file descriptors that the shim finds beside its standard streams.
const (
	SpecFD = 3 // the Spec, as Encode gives it
	SyncFD = 4 // a seqpacket socket: the terminal's master goes up it, then a Failure or, when the exec worked, its end
	PidFD  = 5 // for a joining shim: a pidfd of the container's first process
)

// Spec says what to become.
type Spec struct {
	// Root is what to build first; nil to join the namespaces of the process of PidFD.
	Root *Root

	Arguments           []string
	Environment         []string
	WorkingDirectory    string
	User                string
	SupplementaryGroups []uint32
	Capabilities        []uint
	NoNewPrivileges     bool
	// Seccomp is an assembled filter as the kernel takes it, an array of struct sock_filter; empty for none.
	Seccomp  []byte
	Limits   []Limit
	Terminal bool
	Columns  uint16
	Rows     uint16
	Hostname string
}

// Limit is one resource limit.
type Limit struct {
	Resource int
	Soft     uint64
	Hard     uint64
}

// Root is the container's file system and what belongs to its namespaces.
type Root struct {
	// The directory to mount the overlay at, and the overlay's options.
	Target         string
	OverlayOptions string
	ReadOnly       bool
	Privileged     bool
	SharedMemory   uint64
	Mounts         []Mount
	Masked         []string
	ReadOnlyPaths  []string
	Sysctls        []Sysctl
	// Devices beside the usual ones, for a privileged container.
	Devices []Device
}

// Mount binds a file or directory of the tether into the container.
type Mount struct {
	Source      string
	Destination string
	SubPath     string
	MakeSubPath bool
	ReadOnly    bool
	Group       *uint32
}

// Sysctl is one kernel parameter, with dots in its name.
type Sysctl struct{ Name, Value string }

// Device is a device node.
type Device struct {
	Path  string
	Mode  uint32
	Major uint32
	Minor uint32
}

// Failure says why the process could not be started.
type Failure struct {
	Message string
	// ExitCode is 127 when the command was not found, 126 when it may not be executed, else 128.
	ExitCode int
}

// Encode gives the specification as the shim reads it.
func (s *Spec) Encode() []byte { return encode(s.fields) }

// DecodeSpec reads what Encode gave.
func DecodeSpec(content []byte) (*Spec, error) {
	s := &Spec{}
	return s, decode(content, s.fields)
}

func (s *Spec) fields(c *codec) {
	optional(c, &s.Root, func(c *codec, r *Root) { r.fields(c) })
	list(c, &s.Arguments, (*codec).string)
	list(c, &s.Environment, (*codec).string)
	c.string(&s.WorkingDirectory)
	c.string(&s.User)
	list(c, &s.SupplementaryGroups, number)
	list(c, &s.Capabilities, number)
	c.bool(&s.NoNewPrivileges)
	c.bytes(&s.Seccomp)
	list(c, &s.Limits, func(c *codec, l *Limit) {
		number(c, &l.Resource)
		c.uint64(&l.Soft)
		c.uint64(&l.Hard)
	})
	c.bool(&s.Terminal)
	number(c, &s.Columns)
	number(c, &s.Rows)
	c.string(&s.Hostname)
}

func (r *Root) fields(c *codec) {
	c.string(&r.Target)
	c.string(&r.OverlayOptions)
	c.bool(&r.ReadOnly)
	c.bool(&r.Privileged)
	c.uint64(&r.SharedMemory)
	list(c, &r.Mounts, func(c *codec, m *Mount) { m.fields(c) })
	list(c, &r.Masked, (*codec).string)
	list(c, &r.ReadOnlyPaths, (*codec).string)
	list(c, &r.Sysctls, func(c *codec, s *Sysctl) {
		c.string(&s.Name)
		c.string(&s.Value)
	})
	list(c, &r.Devices, func(c *codec, d *Device) {
		c.string(&d.Path)
		number(c, &d.Mode)
		number(c, &d.Major)
		number(c, &d.Minor)
	})
}

func (m *Mount) fields(c *codec) {
	c.string(&m.Source)
	c.string(&m.Destination)
	c.string(&m.SubPath)
	c.bool(&m.MakeSubPath)
	c.bool(&m.ReadOnly)
	optional(c, &m.Group, number)
}

// Encode gives the failure as DecodeFailure reads it.
func (f *Failure) Encode() []byte { return encode(f.fields) }

// DecodeFailure reads what Encode gave.
func DecodeFailure(content []byte) (*Failure, error) {
	f := &Failure{}
	return f, decode(content, f.fields)
}

func (f *Failure) fields(c *codec) {
	c.string(&f.Message)
	number(c, &f.ExitCode)
}
