package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"berth.dev/tether/schema"
	"berth.dev/tether/seccomp"
	"berth.dev/tether/shim"
)

var resourceNames = map[string]int{
	"AS": unix.RLIMIT_AS, "CORE": unix.RLIMIT_CORE, "CPU": unix.RLIMIT_CPU, "DATA": unix.RLIMIT_DATA, "FSIZE": unix.RLIMIT_FSIZE,
	"LOCKS": unix.RLIMIT_LOCKS, "MEMLOCK": unix.RLIMIT_MEMLOCK, "MSGQUEUE": unix.RLIMIT_MSGQUEUE, "NICE": unix.RLIMIT_NICE,
	"NOFILE": unix.RLIMIT_NOFILE, "NPROC": unix.RLIMIT_NPROC, "RSS": unix.RLIMIT_RSS, "RTPRIO": unix.RLIMIT_RTPRIO,
	"RTTIME": unix.RLIMIT_RTTIME, "SIGPENDING": unix.RLIMIT_SIGPENDING, "STACK": unix.RLIMIT_STACK,
}

// defaultLimits replace those of the kernel's first process, which are too small for many servers. The VM is the bound.
var defaultLimits = []shim.Limit{
	{Resource: unix.RLIMIT_NOFILE, Soft: 1024, Hard: 524288},
	{Resource: unix.RLIMIT_NPROC, Soft: unix.RLIM_INFINITY, Hard: unix.RLIM_INFINITY},
	{Resource: unix.RLIMIT_CORE, Soft: unix.RLIM_INFINITY, Hard: unix.RLIM_INFINITY},
}

// processSpec gives the part of a specification that the container's process and every exec have in common.
func processSpec(p *schema.Process, hostname string) (*shim.Spec, error) {
	spec := &shim.Spec{
		Arguments: p.Arguments, Environment: p.Environment, WorkingDirectory: workingDirectory(p.WorkingDirectory), User: p.User,
		SupplementaryGroups: slices.Clone(p.SupplementaryGroups), NoNewPrivileges: p.NoNewPrivileges, Terminal: p.Terminal,
		Hostname: hostname, Limits: slices.Clone(defaultLimits),
	}
	for i, entry := range p.Environment {
		if name, _, ok := strings.Cut(entry, "="); !ok || name == "" || strings.ContainsRune(entry, 0) {
			return nil, fmt.Errorf("environment[%d] is not of the form NAME=value", i)
		}
	}
	if p.FilesystemGroup != nil {
		spec.SupplementaryGroups = append(spec.SupplementaryGroups, *p.FilesystemGroup)
	}
	var err error
	if spec.Capabilities, err = capabilities(p.Capabilities); err != nil {
		return nil, err
	}
	for _, limit := range p.Limits {
		resource, ok := resourceNames[strings.ToUpper(strings.TrimPrefix(limit.Name, "RLIMIT_"))]
		if !ok {
			return nil, fmt.Errorf("limits: %q is not a resource of setrlimit", limit.Name)
		}
		spec.Limits = append(spec.Limits, shim.Limit{Resource: resource, Soft: limit.Soft, Hard: limit.Hard})
	}
	if !p.Unconfined && !p.Privileged {
		if spec.Seccomp, err = filter(spec.Capabilities); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

func filter(capabilities []uint) ([]byte, error) {
	program, err := seccomp.Default(capabilities)
	if err != nil {
		return nil, err
	}
	content := make([]byte, 0, len(program)*unix.SizeofSockFilter)
	for _, in := range program {
		content = binary.NativeEndian.AppendUint16(content, in.Op)
		content = append(content, in.Jt, in.Jf)
		content = binary.NativeEndian.AppendUint32(content, in.K)
	}
	return content, nil
}

func workingDirectory(path string) string {
	return filepath.Clean("/" + path)
}

// rootSpec gives what the container's own file system needs. Sources are the tether's paths.
func rootSpec(p *schema.Process) *shim.Root {
	root := &shim.Root{
		ReadOnly: p.ReadOnlyRoot, Privileged: p.Privileged, SharedMemory: p.SharedMemorySize, Masked: p.MaskedPaths,
		ReadOnlyPaths: p.ReadOnlyPaths,
	}
	for _, name := range slices.Sorted(maps.Keys(p.Sysctls)) {
		root.Sysctls = append(root.Sysctls, shim.Sysctl{Name: name, Value: p.Sysctls[name]})
	}
	if p.Privileged {
		root.Devices = allDevices("/dev")
	}
	return root
}

// allDevices gives every device node below a directory but terminals and the tether's own ports.
func allDevices(directory string) []shim.Device {
	var devices []shim.Device
	_ = fs.WalkDir(os.DirFS(directory), ".", func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // A node that went away meanwhile is not wanted.
		}
		var stat unix.Stat_t
		name, path := entry.Name(), directory+"/"+path
		if entry.IsDir() || strings.HasPrefix(name, "vport") || strings.HasPrefix(name, "ttyS") || name == "ptmx" || name == "console" || unix.Lstat(path, &stat) != nil {
			return nil
		}
		if kind := stat.Mode & unix.S_IFMT; kind == unix.S_IFCHR || kind == unix.S_IFBLK {
			devices = append(devices, shim.Device{Path: path, Mode: stat.Mode, Major: unix.Major(stat.Rdev), Minor: unix.Minor(stat.Rdev)})
		}
		return nil
	})
	return devices
}

var errHostname = errors.New("the host name is longer than 64 bytes")

// hostLines gives the content of /etc/hosts.
func hostLines(p *schema.Process, hostname string, addresses []string) string {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	b.WriteString("fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n")
	names := hostname
	if p.DomainName != "" {
		short := strings.TrimSuffix(hostname, "."+p.DomainName)
		names = short + "." + p.DomainName + "\t" + short
	}
	for _, address := range addresses {
		b.WriteString(address + "\t" + names + "\n")
	}
	for _, alias := range p.HostAliases {
		b.WriteString(alias.Address + "\t" + strings.Join(alias.Names, "\t") + "\n")
	}
	return b.String()
}

// resolverLines gives the content of /etc/resolv.conf.
func resolverLines(r schema.NameResolution) string {
	var b strings.Builder
	for _, server := range r.Servers {
		b.WriteString("nameserver " + server + "\n")
	}
	if len(r.Searches) > 0 {
		b.WriteString("search " + strings.Join(r.Searches, " ") + "\n")
	}
	if len(r.Options) > 0 {
		b.WriteString("options " + strings.Join(r.Options, " ") + "\n")
	}
	return b.String()
}

func attemptName(attempt uint32) string { return strconv.FormatUint(uint64(attempt), 10) }
