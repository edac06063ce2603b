// Package guests plays the guests of VMs that do not boot, so that thousands of them run on one machine: each says what a tether
// would, and serves its control port with the tether's own link and messages, over TLS. There is no kernel, no disk, no network and
// no process in them, and nothing is logged: a process that is started runs until it is stopped.
package guests

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"berth.dev/tether/guestinfo"
	"berth.dev/tether/link"
	"berth.dev/tether/schema"
	"berth.dev/tether/server"
	"berth.dev/tether/state"
	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/hypervisor"
	"dev.berth/e2e/vsphere-lab/machines"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
	"google.golang.org/grpc"
)

type ref = types.ManagedObjectReference

const (
	redial = time.Second
	// answerTime is given to an answer to reach its caller before the VM goes.
	answerTime = 20 * time.Millisecond
)

// Guests is an observer of the registry: it plays a guest in each VM that is on.
type Guests struct {
	dispatcher func() *dispatch.Dispatcher

	mu   sync.Mutex
	ends map[ref]context.CancelFunc
}

// New makes the observer. The dispatcher is asked for when it is needed.
func New(dispatcher func() *dispatch.Dispatcher) *Guests {
	return &Guests{dispatcher: dispatcher, ends: map[ref]context.CancelFunc{}}
}

// PutObject is for the registry.
func (g *Guests) PutObject(*simulator.Context, mo.Reference) {}

// UpdateObject hears of VMs that are powered on and off.
func (g *Guests) UpdateObject(_ *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	for _, change := range changes {
		if change.Name == "runtime.powerState" && object.Reference().Type == "VirtualMachine" {
			g.end(object.Reference())
			if change.Val == types.VirtualMachinePowerStatePoweredOn {
				g.begin(object.Reference())
			}
		}
	}
}

// RemoveObject ends the guests of VMs that go.
func (g *Guests) RemoveObject(_ *simulator.Context, gone ref) { g.end(gone) }

func (g *Guests) begin(vm ref) {
	ctx, end := context.WithCancel(context.Background())
	g.mu.Lock()
	g.ends[vm] = end
	g.mu.Unlock()
	// The VM's lock is held here.
	go func() {
		if machine, ok := g.dispatcher().System().Map.Get(vm).(*simulator.VirtualMachine); ok {
			(&guest{door: door{g.dispatcher().System, machine}, ctx: ctx}).play()
		}
	}()
}

func (g *Guests) end(vm ref) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if end := g.ends[vm]; end != nil {
		end()
		delete(g.ends, vm)
	}
}

// door is the guestinfo of a VM.
type door struct {
	// context gives a new one: it is a Context that has a lock, and so each use of the door needs its own.
	context func() *simulator.Context
	vm      *simulator.VirtualMachine
}

func (d door) Get(key string) (string, error) {
	var value string
	d.context().WithLock(d.vm, func() {
		for _, option := range d.vm.Config.ExtraConfig {
			if o := option.GetOptionValue(); o.Key == key {
				value, _ = o.Value.(string)
			}
		}
	})
	return value, nil
}

func (d door) Set(key, value string) error {
	hypervisor.Tell(d.context(), d.vm, key, value)
	return nil
}

// control finds where the VM's control port is dialled to; nil when it has none.
func (d door) control() *machines.Remote {
	var remote *machines.Remote
	d.context().WithLock(d.vm, func() {
		for _, device := range d.vm.Config.Hardware.Device {
			if backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualSerialPortURIBackingInfo); ok {
				remote, _ = machines.ParseRemote(backing)
			}
		}
	})
	return remote
}

func (d door) powerOff() {
	ctx := d.context()
	event := behavior.VMEvent(ctx, d.vm)
	ctx.WithLock(d.vm, func() {
		const off = types.VirtualMachinePowerStatePoweredOff
		ctx.Update(d.vm, []types.PropertyChange{{Name: "runtime.powerState", Val: off}, {Name: "summary.runtime.powerState", Val: off}})
	})
	behavior.Post(ctx, &types.VmPoweredOffEvent{VmEvent: event})
}

// guest is one boot of a VM.
type guest struct {
	door   door
	ctx    context.Context
	states *state.Store
}

// play says READY and serves until the VM is off. A VM that is no containerVM is left alone.
func (g *guest) play() {
	config, err := guestinfo.ReadConfig(g.door)
	remote := g.door.control()
	if err != nil || remote == nil {
		return
	}
	g.states = state.NewStore(config.ID, rand.Text(), "played", guestinfo.States{Door: g.door})
	g.states.Update(func(s *schema.State) { s.Phase = schema.Ready })
	identity, fingerprint, err := server.MakeIdentity(config.ID, config.Identity.Authority)
	if err != nil {
		return
	}
	served, err := g.serve(identity)
	if err != nil {
		return
	}
	defer served.Stop()
	_ = g.door.Set(guestinfo.CertificateKey, fingerprint)
	for g.ctx.Err() == nil {
		g.connect(remote, served, link.NameOf(config.ID))
	}
}

// connect dials once, and serves until the connection is lost.
func (g *guest) connect(remote *machines.Remote, served *grpc.Server, name link.Nonce) {
	connection, err := remote.Dial(g.ctx)
	if err != nil {
		select {
		case <-g.ctx.Done():
		case <-time.After(redial):
		}
		return
	}
	defer context.AfterFunc(g.ctx, func() { connection.Close() })()
	defer connection.Close()
	listener := link.NewListener(line{connection}, name)
	go func() { _ = served.Serve(listener) }()
	_ = listener.Run(g.ctx)
}
