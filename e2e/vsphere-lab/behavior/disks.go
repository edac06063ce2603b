package behavior

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vmdk"
	"golang.org/x/sys/unix"
)

// grow gives the extent of a disk, which the simulator leaves empty, the size that the descriptor says, and gives the UUID that is in there, if
// there is one: the disk has it wherever it is attached.
func grow(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	descriptor, err := vmdk.ParseDescriptor(file)
	if err != nil {
		return ""
	}
	for _, extent := range descriptor.Extent {
		name := filepath.Join(filepath.Dir(path), filepath.Base(extent.Info))
		size := extent.Size * vmdk.SectorSize
		if info, err := os.Stat(name); err == nil && info.Size() < size {
			_ = os.Truncate(name, size)
		}
	}
	own, err := uuid.Parse(strings.NewReplacer(" ", "", "-", "").Replace(descriptor.DDB["uuid"]))
	if err != nil {
		return ""
	}
	return own.String()
}

type diskManager interface {
	CreateVirtualDiskTask(*simulator.Context, *types.CreateVirtualDisk_Task) soap.HasFault
	ExtendVirtualDiskTask(*simulator.Context, *types.ExtendVirtualDisk_Task) soap.HasFault
}

// createDisk makes a disk with its size.
func createDisk(call *dispatch.Call, body *types.CreateVirtualDisk_Task) soap.HasFault {
	return changeDisk(call, body.Datacenter, body.Name, func(ctx *simulator.Context, manager diskManager) *ref {
		if made, ok := manager.CreateVirtualDiskTask(ctx, body).(*methods.CreateVirtualDisk_TaskBody); ok && made.Res != nil {
			return &made.Res.Returnval
		}
		return nil
	})
}

// extendDisk makes a disk larger, in its descriptor and in its extent, unless a VM that is on has it.
func (b *Behavior) extendDisk(call *dispatch.Call, body *types.ExtendVirtualDisk_Task) soap.HasFault {
	disk := &types.VirtualDiskFlatVer2BackingInfo{VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: body.Name}}
	if fault := b.lockable(ref{}, disk, b.running()); fault != nil {
		return dispatch.FailedTask(call, fault)
	}
	return changeDisk(call, body.Datacenter, body.Name, func(ctx *simulator.Context, manager diskManager) *ref {
		if made, ok := manager.ExtendVirtualDiskTask(ctx, body).(*methods.ExtendVirtualDisk_TaskBody); ok && made.Res != nil {
			return &made.Res.Returnval
		}
		return nil
	})
}

// changeDisk runs a task of the simulator's on a disk and then gives the disk its size.
func changeDisk(call *dispatch.Call, named *ref, name string, begin func(*simulator.Context, diskManager) *ref) soap.HasFault {
	manager, ok := call.Context.Map.Get(call.This).(diskManager)
	if !ok {
		return notFound(call.This)
	}
	datacenter, refusal := datacenterOr(call, named)
	if refusal != nil {
		return refusal
	}
	return dispatch.RunTask(call, call.This, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		path, _, fault := filePath(ctx, datacenter, name)
		if fault != nil {
			return nil, fault
		}
		task := begin(ctx, manager)
		if task == nil {
			return nil, &types.SystemError{Reason: "the simulator has not begun"}
		}
		if _, fault := await(ctx, *task); fault != nil {
			return nil, fault
		}
		grow(path)
		return name, nil
	})
}

// copyDisk copies what was written, and not the zeros of what never was.
func copyDisk(call *dispatch.Call, body *types.CopyVirtualDisk_Task, next dispatch.Handler) soap.HasFault {
	if body.DestSpec != nil {
		return next(call)
	}
	from, refusal := datacenterOr(call, body.SourceDatacenter)
	if refusal != nil {
		return refusal
	}
	to := from
	if body.DestDatacenter != nil {
		if to, refusal = datacenterOr(call, body.DestDatacenter); refusal != nil {
			return refusal
		}
	}
	return dispatch.RunTask(call, call.This, func(ctx *simulator.Context) (types.AnyType, types.BaseMethodFault) {
		source, _, fault := filePath(ctx, from, body.SourceName)
		if fault != nil {
			return nil, fault
		}
		target, _, fault := filePath(ctx, to, body.DestName)
		if fault != nil {
			return nil, fault
		}
		force := body.Force != nil && *body.Force
		for _, of := range []func(string) string{simulator.VirtualDiskBackingFileName, func(name string) string { return name }} {
			if err := copySparse(of(source), of(target), force); err != nil {
				return nil, copyFault(body, err)
			}
		}
		return nil, nil
	})
}

func copyFault(body *types.CopyVirtualDisk_Task, err error) fault {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return &types.FileNotFound{FileFault: types.FileFault{File: body.SourceName}}
	case errors.Is(err, os.ErrExist):
		return &types.FileAlreadyExists{FileFault: types.FileFault{File: body.DestName}}
	case errors.Is(err, unix.ENOSPC):
		return &types.NoDiskSpace{FileFault: types.FileFault{File: body.DestName}}
	default:
		return &types.CannotCreateFile{FileFault: types.FileFault{File: body.DestName}}
	}
}

// copySparse copies a file with its holes.
func copySparse(source, target string, replace bool) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if !replace {
		flags |= os.O_EXCL
	}
	to, err := os.OpenFile(target, flags, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(copyData(to, from, info.Size()), to.Truncate(info.Size()), to.Close())
}

func copyData(to, from *os.File, size int64) error {
	for end := int64(0); end < size; {
		begin, err := from.Seek(end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // the rest is a hole
		}
		if err != nil {
			return err
		}
		if end, err = from.Seek(begin, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(from, begin, end-begin)); err != nil {
			return err
		}
	}
	return nil
}

// datacenterOr finds the datacenter of a file: the one named, or the only one.
func datacenterOr(call *dispatch.Call, named *ref) (*simulator.Datacenter, soap.HasFault) {
	datacenters := call.Context.Map.All("Datacenter")
	if named == nil && len(datacenters) != 1 {
		return nil, dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "datacenter"}, "There are several datacenters: one must be named.")
	}
	datacenter, ok := datacenters[0].(*simulator.Datacenter)
	if named != nil {
		datacenter, ok = call.Context.Map.Get(*named).(*simulator.Datacenter)
	}
	if !ok {
		return nil, notFound(*named)
	}
	return datacenter, nil
}

var (
	uuidFormat = regexp.MustCompile(`^([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}-([0-9a-fA-F]{2} ){7}[0-9a-fA-F]{2}$`)
	uuidLine   = regexp.MustCompile(`(?m)^ddb\.uuid *=.*\n?`)
)

// setUUID writes a disk's identity into its descriptor.
func setUUID(call *dispatch.Call, body *types.SetVirtualDiskUuid) soap.HasFault {
	if !uuidFormat.MatchString(body.Uuid) {
		return dispatch.Refuse(&types.InvalidArgument{InvalidProperty: "uuid"}, "%q is no UUID of a disk.", body.Uuid)
	}
	datacenter, refusal := datacenterOr(call, body.Datacenter)
	if refusal != nil {
		return refusal
	}
	path, _, fault := filePath(call.Context, datacenter, body.Name)
	if fault != nil {
		return dispatch.Refuse(fault, "%s", messageOf(fault))
	}
	descriptor, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(descriptor, []byte("# Disk DescriptorFile")) {
		return dispatch.Refuse(&types.FileNotFound{FileFault: types.FileFault{File: body.Name}}, "%s is no disk.", body.Name)
	}
	descriptor = append(bytes.TrimRight(uuidLine.ReplaceAll(descriptor, nil), "\n"), fmt.Sprintf("\nddb.uuid = %q\n", body.Uuid)...)
	if err := os.WriteFile(path, descriptor, 0o600); err != nil {
		return dispatch.Refuse(&types.CannotAccessFile{FileFault: types.FileFault{File: body.Name}}, "%s", err)
	}
	return &methods.SetVirtualDiskUuidBody{Res: &types.SetVirtualDiskUuidResponse{}}
}

// await waits for a task of the simulator's.
func await(ctx *simulator.Context, reference ref) (types.AnyType, fault) {
	task, ok := ctx.Map.Get(reference).(*simulator.Task)
	if !ok {
		return nil, &types.SystemError{Reason: "no such task"}
	}
	task.Wait()
	info := locked(&simulator.Context{Map: ctx.Map}, task, func() types.TaskInfo { return task.Info })
	if info.Error != nil {
		return nil, info.Error.Fault
	}
	return info.Result, nil
}
