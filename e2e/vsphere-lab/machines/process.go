package machines

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// spawner starts processes that the kernel kills when this process ends, however it ends. The kernel ties that to the thread that started
// them, so all are started by one that lives as long as the program.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for task := range work {
			task()
		}
	}()
	return work
})

// process is a QEMU.
type process struct {
	command *exec.Cmd
	monitor *monitor
	guest   connection
	lines   map[int32]connection // of the network serial ports, by unit
	log     string
	// logged is where this process's part of the log begins.
	logged int64

	// exited is closed when the process has ended; failure says how if not well.
	exited  chan struct{}
	failure error
	// finished is closed when all that the machine wrote has been told as well.
	finished chan struct{}
	// Guarded by the fleet's lock: why the lab ends the process, and whether the guest turned it off, and when it was last reset.
	intent   Reason
	guestOff bool
	reset    time.Time

	// resumed is closed when the processor runs after the state of another was taken over; migration has the stages of the way there.
	resumed     chan struct{}
	resumedOnce sync.Once
	migration   chan string
}

// connection is our end of what QEMU has the other end of.
type connection = net.Conn

// inherited collects the files that a QEMU gets, and the number that each has there.
type inherited struct {
	files []*os.File
}

// firstInherited comes after the three standard files.
const firstInherited = 3

func (i *inherited) add(file *os.File) int {
	i.files = append(i.files, file)
	return firstInherited + len(i.files) - 1
}

func (i *inherited) close() {
	for _, file := range i.files {
		file.Close()
	}
}

// pair makes a connection of which QEMU has one end, as a number, and we the other.
func (i *inherited) pair(name string) (net.Conn, int, error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("make a socket pair: %w", err)
	}
	ours := os.NewFile(uintptr(ends[0]), name)
	defer ours.Close()
	number := i.add(os.NewFile(uintptr(ends[1]), name))
	connection, err := net.FileConn(ours)
	return connection, number, err
}

// start runs QEMU with its output appended to a log. The given files are closed here.
func (p *process) start(qemu string, arguments []string, files *inherited) error {
	defer files.close()
	log, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if p.logged, err = log.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	p.command = exec.Command(qemu, arguments...)
	p.command.Stdout, p.command.Stderr, p.command.ExtraFiles = log, log, files.files
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	spawner() <- func() { started <- p.command.Start() }
	if err := <-started; err != nil {
		return err
	}
	p.exited, p.finished = make(chan struct{}), make(chan struct{})
	go func() {
		p.failure = p.command.Wait()
		close(p.exited)
	}()
	return nil
}

// kill ends the process and everything in its group at once. A process that is gone stays gone.
func (p *process) kill() {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL)
	}
}

// abandon ends a process that never became the machine's.
func (p *process) abandon() {
	if p.exited != nil {
		p.kill()
		<-p.exited
	}
	p.closeConnections()
}

func (p *process) closeConnections() {
	if p.guest != nil {
		p.guest.Close()
	}
	for _, line := range p.lines {
		line.Close()
	}
	if p.monitor != nil {
		p.monitor.close()
	}
}

// ErrLocked tells that another machine has a disk open that this one needs for itself.
var ErrLocked = errors.New("the file is locked")

// explain adds what QEMU printed at its end to an error about it.
func (p *process) explain(err error) error {
	select {
	case <-p.exited:
	default:
		return err
	}
	content, _ := os.ReadFile(p.log)
	content = bytes.TrimSpace(content[min(int(p.logged), len(content)):])
	last := string(content[bytes.LastIndexByte(content, '\n')+1:])
	if strings.Contains(last, `get "write" lock`) || strings.Contains(last, `get shared "write" lock`) || strings.Contains(last, "Is another process using") {
		return fmt.Errorf("%w: %s", ErrLocked, last)
	}
	if last == "" && p.failure != nil {
		last = p.failure.Error()
	}
	return fmt.Errorf("QEMU ended: %s (%w)", last, err)
}
