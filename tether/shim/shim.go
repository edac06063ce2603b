package shim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
	"berth.dev/tether/monitor"
)

func init() {
	if len(os.Args) == 0 || os.Args[0] != Name {
		return
	}
	// Every identity below belongs to one thread, and it is this one that calls exec.
	runtime.LockOSThread()
	monitor.Quiet(boot.ProcDirectory)
	reason := run()
	failure := &Failure{}
	if !errors.As(reason, &failure) {
		failure = &Failure{Message: reason.Error(), ExitCode: 128}
	}
	_, _ = unix.Write(SyncFD, failure.Encode())
	os.Exit(1)
}

func (f *Failure) Error() string { return f.Message }

// run returns only when the process could not be started.
func run() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make the shim undumpable: %w", err)
	}
	for _, fd := range []int{SpecFD, SyncFD, PidFD} {
		unix.CloseOnExec(fd)
	}
	spec, err := readSpec()
	if err != nil {
		return err
	}
	if spec.Root != nil {
		err = buildRoot(spec)
	} else {
		err = join()
	}
	if err != nil {
		return err
	}
	return become(spec)
}

func readSpec() (*Spec, error) {
	file := os.NewFile(SpecFD, "spec")
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("read the process specification: %w", err)
	}
	spec, err := DecodeSpec(content)
	if err != nil {
		return nil, fmt.Errorf("read the process specification: %w", err)
	}
	return spec, nil
}

// join enters the namespaces of the container's first process; its PID namespace was entered by the fork.
func join() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare the working directory: %w", err)
	}
	const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP
	if err := unix.Setns(PidFD, namespaces); err != nil {
		return fmt.Errorf("enter the container: %w", err)
	}
	return unix.Close(PidFD)
}

// buildRoot makes the container's file system in the shim's own namespaces and makes it the root.
func buildRoot(spec *Spec) error {
	root := spec.Root
	if err := unix.Unshare(unix.CLONE_NEWCGROUP | unix.CLONE_FS); err != nil {
		return fmt.Errorf("make a cgroup namespace: %w", err)
	}
	if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
		return fmt.Errorf("set the host name %q: %w", spec.Hostname, err)
	}
	trees, err := openTrees(root.Mounts)
	if err != nil {
		return err
	}
	if err := pivot(root); err != nil {
		return err
	}
	if err := mountSystem(root); err != nil {
		return err
	}
	if err := attachTrees(trees); err != nil {
		return err
	}
	if err := writeSysctls(root.Sysctls); err != nil {
		return err
	}
	if err := protect(root); err != nil {
		return err
	}
	if err := makeWorkingDirectory(spec.WorkingDirectory); err != nil {
		return err
	}
	if root.ReadOnly {
		return setReadOnly(unix.AT_FDCWD, "/", false)
	}
	return nil
}

func makeWorkingDirectory(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make the working directory: %w", err)
	}
	return nil
}

func pivot(root *Root) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := unix.Mount("overlay", root.Target, "overlay", unix.MS_NOATIME, root.OverlayOptions); err != nil {
		return fmt.Errorf("mount the container's root: %w", err)
	}
	if err := unix.Chdir(root.Target); err != nil {
		return fmt.Errorf("enter the container's root: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	// The old root now lies over the new one.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return unix.Chdir("/")
}

func writeSysctls(sysctls []Sysctl) error {
	for _, sysctl := range sysctls {
		if err := os.WriteFile(sysctlPath(sysctl.Name), []byte(sysctl.Value), 0); err != nil {
			return fmt.Errorf("set the sysctl %q to %q: %w", sysctl.Name, sysctl.Value, err)
		}
	}
	return nil
}
