// Package lab is the vCenter that Berth is tested against: govmomi's simulator with what a real vCenter has beyond it.
package lab

import (
	"net/http"
	"net/url"
	"time"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/collector"
	"dev.berth/e2e/vsphere-lab/control"
	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/faults"
	"dev.berth/e2e/vsphere-lab/front"
	"dev.berth/e2e/vsphere-lab/guests"
	"dev.berth/e2e/vsphere-lab/hypervisor"
	"dev.berth/e2e/vsphere-lab/inventory"
	"dev.berth/e2e/vsphere-lab/privileges"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// Options of a lab.
type Options struct {
	Directory string
	Shape     inventory.Shape
	// Users and their passwords. The first one in the list of the command is the administrator.
	User, Password string
	Releases       []string
	Behavior       behavior.Options
	// Boot makes powered-on VMs run in QEMU, when it is there.
	Boot *hypervisor.Options
	// Play has the guests of VMs that do not boot played.
	Play bool
}

// Lab answers a vCenter's protocols.
type Lab struct {
	service    *simulator.Service
	dispatcher *dispatch.Dispatcher
	collectors *collector.Service
	behavior   *behavior.Behavior
	hypervisor *hypervisor.Hypervisor
	rules      *faults.Rules
	users      *privileges.Users
	gate       *front.Gate
	server     *Server
}

// New makes a lab with everything in it.
func New(options Options) (*Lab, error) {
	service, err := options.Shape.Build(options.Directory)
	if err != nil {
		return nil, err
	}
	service.Listen.User = url.UserPassword(options.User, options.Password)
	l := &Lab{
		service: service, rules: faults.New(), collectors: collector.New(service.Context.Map),
		users: privileges.NewUsers(options.User, options.Password),
	}
	service.Context.Map.SessionManager().ValidLogin = l.users.Valid
	l.behavior = behavior.New(options.Behavior, func() *dispatch.Dispatcher { return l.dispatcher }, l.collectors.Touch)
	handlers := observers{l.behavior, l.collectors}
	var innermost dispatch.Layer
	if options.Boot != nil {
		l.hypervisor, err = hypervisor.New(service.Context, *options.Boot, func() *dispatch.Dispatcher { return l.dispatcher }, l.behavior.NotStarted)
		if err != nil {
			return nil, err
		}
		l.behavior.Machines, innermost = l.hypervisor, l.hypervisor.Layer
		handlers = append(handlers, l.hypervisor)
	}
	if options.Play {
		handlers = append(handlers, guests.New(func() *dispatch.Dispatcher { return l.dispatcher }))
	}
	service.Context.Map.AddHandler(handlers)
	l.dispatcher = dispatch.New(service, innermost, dispatch.Session, l.rules.Layer, l.users.Layer, l.collectors.Layer, l.behavior.Layer)
	l.gate = &front.Gate{Next: l.rules.Handler(l.routes(options))}
	return l, nil
}

func (l *Lab) routes(options Options) http.Handler {
	mux := http.NewServeMux()
	soap := &front.SOAP{Dispatcher: l.dispatcher}
	mux.Handle("/sdk", soap)
	mux.Handle("/sdk/{$}", soap)
	mux.Handle("/sdk/vimService", soap)
	mux.Handle("/sdk/vim25/", &front.JSON{Dispatcher: l.dispatcher, Releases: options.Releases})
	mux.HandleFunc("/sdk/vimServiceVersions.xml", l.service.ServiceVersions)
	mux.Handle("/folder/", &front.Folder{Dispatcher: l.dispatcher, Allowed: l.mayUse})
	front.NewREST(l.dispatcher, options.Releases, l.service).Register(mux)
	return mux
}

// Close ends the VMs that run and leaves nothing of them.
func (l *Lab) Close() error {
	if l.hypervisor == nil {
		return nil
	}
	return l.hypervisor.Close()
}

// Handler answers all requests.
func (l *Lab) Handler() http.Handler { return l.gate }

// Control answers the requests of tests.
func (l *Lab) Control(secret string) http.Handler { return control.Handler(secret, l, l.rules) }

// SetLatency delays requests.
func (l *Lab) SetLatency(delays map[string]time.Duration) error { return l.gate.SetLatency(delays) }

// AddUser lets one more user log in.
func (l *Lab) AddUser(name, password string) error { return l.users.Add(name, password) }

func (l *Lab) mayUse(user string, datastore *simulator.Datastore, write bool) bool {
	privilege := "Datastore.Browse"
	if write {
		privilege = "Datastore.FileManagement"
	}
	return l.users.Allowed(l.dispatcher.System(), user, datastore.Self, privilege)
}

// ExpireSessions ends all sessions.
func (l *Lab) ExpireSessions() {
	ctx := l.dispatcher.System()
	manager, ok := ctx.Session.Get(l.service.Context.Map.SessionManager().Self).(*simulator.SessionManager)
	if !ok {
		return
	}
	for _, session := range manager.SessionList {
		l.dispatcher.Internal(ctx, manager.Self, "TerminateSession", &types.TerminateSession{This: manager.Self, SessionId: []string{session.Key}})
		l.collectors.EndSession(session.Key)
	}
}
