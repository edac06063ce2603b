package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
	"berth.dev/tether/shim"
)

// pipeSize lets a process write this much before it has to wait for the tether.
const pipeSize = 256 << 10

// setupDeadline bounds the time from the fork to the exec.
const setupDeadline = 60 * time.Second

// spawned is a process that has passed its exec.
type spawned struct {
	pid   int
	pidfd int
	end   <-chan unix.WaitStatus

	terminal       *os.File // nil without a terminal; then the three below
	stdin          *os.File // nil when the process has none
	stdout, stderr *os.File
}

func (s *spawned) closeFiles() {
	for _, file := range []*os.File{s.terminal, s.stdin, s.stdout, s.stderr} {
		if file != nil {
			_ = file.Close()
		}
	}
}

// spawner starts processes through the shim.
type spawner struct {
	reaper *Reaper
	cgroup *os.File
}

// spawn starts a process; joined is a pidfd of the container's first process, or -1 to make a container. The error is a *shim.Failure when
// the process could not be executed.
func (s *spawner) spawn(spec *shim.Spec, stdin bool, joined int) (*spawned, error) {
	specFile, err := memoryFile(spec.Encode())
	if err != nil {
		return nil, fmt.Errorf("pass the process specification: %w", err)
	}
	defer specFile.Close()
	sync, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(sync[0])
	p := &spawned{pidfd: -1}
	child, err := openStreams(p, spec.Terminal, stdin)
	if err != nil {
		unix.Close(sync[1])
		return nil, err
	}
	files := append(child, specFile.Fd(), uintptr(sync[1]))
	if joined >= 0 {
		files = append(files, uintptr(joined))
	}
	p.pid, p.end, err = s.reaper.Start(func() (int, error) { return s.fork(files, joined) })
	unix.Close(sync[1])
	for _, fd := range child {
		unix.Close(int(fd))
	}
	if err == nil {
		p.pidfd, err = unix.PidfdOpen(p.pid, 0)
	}
	if err == nil {
		err = awaitExec(sync[0], p)
	}
	if err != nil {
		p.closeFiles()
		if p.pid > 0 {
			_ = unix.Kill(p.pid, unix.SIGKILL)
			<-p.end
		}
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
		}
		return nil, err
	}
	return p, nil
}

func (s *spawner) fork(files []uintptr, joined int) (int, error) {
	attributes := &syscall.SysProcAttr{UseCgroupFD: s.cgroup != nil}
	if s.cgroup != nil {
		attributes.CgroupFD = int(s.cgroup.Fd())
	}
	if joined < 0 {
		attributes.Cloneflags = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS
	} else {
		// Only this thread's children are born into the container's PID namespace.
		runtime.LockOSThread()
		own, err := unix.Open(boot.ProcDirectory+"/self/ns/pid", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(own)
		if err := unix.Setns(joined, unix.CLONE_NEWPID); err != nil {
			runtime.UnlockOSThread()
			return 0, fmt.Errorf("enter the container's processes: %w", err)
		}
		defer func() {
			// A thread that cannot go back stays locked and ends with its goroutine.
			if unix.Setns(own, unix.CLONE_NEWPID) == nil {
				runtime.UnlockOSThread()
			}
		}()
	}
	return syscall.ForkExec(boot.ProcDirectory+"/self/exe", []string{shim.Name}, &syscall.ProcAttr{Files: files, Sys: attributes})
}

// awaitExec reads what the shim reports until the exec closes its end.
func awaitExec(sync int, p *spawned) error {
	limit := unix.NsecToTimeval(int64(setupDeadline))
	if err := unix.SetsockoptTimeval(sync, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return err
	}
	buffer := make([]byte, 16<<10)
	control := make([]byte, unix.CmsgSpace(4))
	for {
		n, controls, _, _, err := unix.Recvmsg(sync, buffer, control, unix.MSG_CMSG_CLOEXEC)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("the process was not set up within %s", setupDeadline)
		case err != nil:
			return err
		case n == 0:
			return nil
		case controls > 0:
			if p.terminal, err = receiveFile(control[:controls]); err != nil {
				return err
			}
			continue
		}
		failure, err := shim.DecodeFailure(buffer[:n])
		if err != nil {
			return fmt.Errorf("read the shim's report: %w", err)
		}
		return failure
	}
}

func receiveFile(control []byte) (*os.File, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("receive the terminal: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("receive the terminal: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "terminal"), nil
}

// openStreams makes the pipes of a process. The child's ends are in the order of its descriptors.
func openStreams(p *spawned, terminal, stdin bool) ([]uintptr, error) {
	var child []uintptr
	var err error
	add := func(file **os.File, parent int) {
		if err != nil {
			return
		}
		var ends [2]int
		if err = unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
			return
		}
		_, _ = unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, pipeSize)
		if err = unix.SetNonblock(ends[parent], true); err != nil {
			return
		}
		*file = os.NewFile(uintptr(ends[parent]), "pipe")
		child = append(child, uintptr(ends[1-parent]))
	}
	null := func() {
		if err != nil {
			return
		}
		var fd int
		if fd, err = unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err == nil {
			child = append(child, uintptr(fd))
		}
	}
	if stdin && !terminal {
		add(&p.stdin, 1)
	} else {
		null()
	}
	if terminal {
		null()
		null()
	} else {
		add(&p.stdout, 0)
		add(&p.stderr, 0)
	}
	if err != nil {
		p.closeFiles()
		for _, fd := range child {
			unix.Close(int(fd))
		}
		return nil, fmt.Errorf("make the streams: %w", err)
	}
	return child, nil
}

func memoryFile(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("spec", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "spec")
	if _, err := file.Write(content); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(0, 0); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
