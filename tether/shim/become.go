package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"berth.dev/tether/user"
)

// defaultPath is what a process gets that has no PATH.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// become turns the shim into the container's process. It returns only with an error.
func become(spec *Spec) error {
	identity, err := user.Lookup(spec.User, os.DirFS("/"))
	if err != nil {
		return err
	}
	groups := union(identity.Groups, spec.SupplementaryGroups)
	if err := openStreams(spec, identity); err != nil {
		return err
	}
	if err := setLimits(spec.Limits); err != nil {
		return err
	}
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("0"), 0); err != nil {
		return fmt.Errorf("set the OOM score: %w", err)
	}
	if _, err := unix.KeyctlJoinSessionKeyring("_ses"); err != nil && !errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("join a session keyring: %w", err)
	}
	unix.Umask(0o022)
	environment := completeEnvironment(spec, identity)
	// A filter may be set without no_new_privs only while CAP_SYS_ADMIN is there; otherwise it comes last.
	if !spec.NoNewPrivileges {
		if err := setSeccomp(spec.Seccomp); err != nil {
			return err
		}
	}
	if err := setIdentity(identity, groups, spec.Capabilities); err != nil {
		return err
	}
	if err := unix.Chdir(spec.WorkingDirectory); err != nil {
		return fmt.Errorf("enter the working directory %s: %w", spec.WorkingDirectory, err)
	}
	path, err := findExecutable(spec.Arguments, environment)
	if err != nil {
		return err
	}
	if spec.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("set no_new_privs: %w", err)
		}
		if err := setSeccomp(spec.Seccomp); err != nil {
			return err
		}
	}
	err = unix.Exec(path, spec.Arguments, environment)
	return &Failure{Message: fmt.Sprintf("exec %s: %v", path, err), ExitCode: 126}
}

func union(a, b []uint32) []int {
	seen := map[uint32]bool{}
	var all []int
	for _, group := range append(append([]uint32(nil), a...), b...) {
		if !seen[group] {
			seen[group] = true
			all = append(all, int(group))
		}
	}
	return all
}

// completeEnvironment keeps the last of several values of one name, and adds what every process has.
func completeEnvironment(spec *Spec, identity user.Identity) []string {
	defaults := []string{defaultPath, "HOSTNAME=" + spec.Hostname, "HOME=" + identity.Home}
	if spec.Terminal {
		defaults = append(defaults, "TERM=xterm")
	}
	at := map[string]int{}
	var result []string
	for _, entry := range append(defaults, spec.Environment...) {
		name, _, _ := strings.Cut(entry, "=")
		if i, ok := at[name]; ok {
			result[i] = entry
			continue
		}
		at[name] = len(result)
		result = append(result, entry)
	}
	return result
}

func setLimits(limits []Limit) error {
	for _, limit := range limits {
		if err := unix.Setrlimit(limit.Resource, &unix.Rlimit{Cur: limit.Soft, Max: limit.Hard}); err != nil {
			return fmt.Errorf("set resource limit %d to %d:%d: %w", limit.Resource, limit.Soft, limit.Hard, err)
		}
	}
	return nil
}

// setIdentity drops everything the process is not to have. The raw calls change this thread only, which is the one that execs.
func setIdentity(identity user.Identity, groups []int, capabilities []uint) error {
	wanted := map[uint]bool{}
	var data [2]unix.CapUserData
	for _, c := range capabilities {
		wanted[c] = true
		data[c/32].Permitted |= 1 << (c % 32)
	}
	for c := uint(0); c <= unix.CAP_LAST_CAP; c++ {
		if wanted[c] {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if err := setgroups(groups); err != nil {
		return fmt.Errorf("set the supplementary groups: %w", err)
	}
	gid, uid := uintptr(identity.Gid), uintptr(identity.Uid)
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESGID, gid, gid, gid); e != 0 {
		return fmt.Errorf("set the group %d: %w", identity.Gid, e)
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); e != 0 {
		return fmt.Errorf("set the user %d: %w", identity.Uid, e)
	}
	if identity.Uid != 0 {
		return nil // The kernel has taken all capabilities away.
	}
	data[0].Effective, data[1].Effective = data[0].Permitted, data[1].Permitted
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("set the capabilities: %w", err)
	}
	return nil
}

func setgroups(groups []int) error {
	ids := make([]uint32, len(groups)+1)
	for i, group := range groups {
		ids[i] = uint32(group)
	}
	_, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&ids[0])), 0)
	if e != 0 {
		return e
	}
	return nil
}

func setSeccomp(program []byte) error {
	if len(program) == 0 {
		return nil
	}
	// A copy, because the kernel wants the instructions aligned.
	filters := make([]unix.SockFilter, len(program)/unix.SizeofSockFilter)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&filters[0])), len(program)), program)
	fprog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	_, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&fprog)))
	if e != 0 {
		return fmt.Errorf("set the seccomp filter: %w", e)
	}
	return nil
}

// findExecutable looks the command up as a shell does, in the PATH of the environment, with the rights the process will have.
func findExecutable(arguments, environment []string) (string, error) {
	if len(arguments) == 0 || arguments[0] == "" {
		return "", &Failure{Message: "no command specified", ExitCode: 127}
	}
	name := arguments[0]
	if strings.Contains(name, "/") {
		if err := executable(name); err != nil {
			return "", notFound(name, err)
		}
		return name, nil
	}
	var denied error
	for _, dir := range searchPath(environment) {
		if dir == "" {
			dir = "."
		}
		candidate := filepath.Join(dir, name)
		err := executable(candidate)
		if err == nil {
			return candidate, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			denied = err
		}
	}
	if denied != nil {
		return "", notFound(name, denied)
	}
	return "", &Failure{Message: fmt.Sprintf("exec: %q: executable file not found in $PATH", name), ExitCode: 127}
}

func searchPath(environment []string) []string {
	if list := variable(environment, "PATH"); list != "" {
		return strings.Split(list, ":")
	}
	return nil
}

func notFound(name string, err error) error {
	code := 126
	if errors.Is(err, fs.ErrNotExist) {
		code = 127
	}
	return &Failure{Message: fmt.Sprintf("exec: %q: %v", name, err), ExitCode: code}
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return errors.New("is a directory")
	}
	if info.Mode()&0o111 == 0 {
		return fs.ErrPermission
	}
	// The effective ids count, which access(2) does not look at; here they are the real ones too.
	if err := unix.Access(path, unix.X_OK); err != nil {
		return err
	}
	return nil
}

func variable(environment []string, name string) string {
	for _, entry := range environment {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// openStreams makes the standard streams the process's own: a terminal of the container, or pipes that its user may open again.
func openStreams(spec *Spec, identity user.Identity) error {
	if spec.Terminal {
		return openTerminal(spec, identity)
	}
	if _, err := unix.Setsid(); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	for fd := range 3 {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err != nil {
			return err
		}
		if stat.Mode&unix.S_IFMT != unix.S_IFIFO {
			continue
		}
		if err := unix.Fchown(fd, int(identity.Uid), int(identity.Gid)); err != nil {
			return err
		}
	}
	return nil
}

func openTerminal(spec *Spec, identity user.Identity) error {
	master, err := unix.Open("/dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a terminal: %w", err)
	}
	if err := unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err != nil {
		return fmt.Errorf("unlock the terminal: %w", err)
	}
	number, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return fmt.Errorf("number the terminal: %w", err)
	}
	path := "/dev/pts/" + strconv.Itoa(number)
	slave, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if spec.Columns > 0 && spec.Rows > 0 {
		size := unix.Winsize{Col: spec.Columns, Row: spec.Rows}
		if err := unix.IoctlSetWinsize(slave, unix.TIOCSWINSZ, &size); err != nil {
			return err
		}
	}
	if err := unix.Fchown(slave, int(identity.Uid), -1); err != nil {
		return err
	}
	if spec.Root != nil {
		if err := bindConsole(path); err != nil {
			return err
		}
	}
	if _, err := unix.Setsid(); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	if err := unix.IoctlSetInt(slave, unix.TIOCSCTTY, 0); err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	for fd := range 3 {
		if err := unix.Dup3(slave, fd, 0); err != nil {
			return err
		}
	}
	if err := unix.Close(slave); err != nil {
		return err
	}
	if err := unix.Sendmsg(SyncFD, []byte{0}, unix.UnixRights(master), nil, 0); err != nil {
		return fmt.Errorf("hand over the terminal: %w", err)
	}
	return unix.Close(master)
}

func bindConsole(path string) error {
	file, err := os.OpenFile("/dev/console", os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return err
	}
	_ = file.Close()
	if err := unix.Mount(path, "/dev/console", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind the console: %w", err)
	}
	return nil
}
