// Package lab is the vCenter that Berth is tested against: govmomi's simulator with what a real vCenter has beyond it.
package lab

import (
	"net/http"
	"net/url"

	"dev.berth/e2e/vsphere-lab/collector"
	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/front"
	"dev.berth/e2e/vsphere-lab/inventory"
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
}

// Lab answers a vCenter's protocols.
type Lab struct {
	service    *simulator.Service
	dispatcher *dispatch.Dispatcher
	collectors *collector.Service
	mux        *http.ServeMux
}

// New makes a lab with everything in it.
func New(options Options) (*Lab, error) {
	service, err := options.Shape.Build(options.Directory)
	if err != nil {
		return nil, err
	}
	service.Listen.User = url.UserPassword(options.User, options.Password)
	service.Context.Map.SessionManager().ValidLogin = func(login *types.Login) bool {
		return login.UserName == options.User && login.Password == options.Password
	}
	l := &Lab{service: service, mux: http.NewServeMux()}
	l.collectors = collector.New(service.Context.Map)
	l.dispatcher = dispatch.New(service, dispatch.Session, l.collectors.Layer)
	rest := &front.REST{Dispatcher: l.dispatcher, Releases: options.Releases}
	l.mux.Handle("/sdk", &front.SOAP{Dispatcher: l.dispatcher})
	l.mux.Handle("/sdk/vimService", &front.SOAP{Dispatcher: l.dispatcher})
	l.mux.Handle("/sdk/vim25/", &front.JSON{Dispatcher: l.dispatcher, Releases: options.Releases})
	l.mux.Handle("/sdk/vimServiceVersions.xml", http.HandlerFunc(service.ServiceVersions))
	l.mux.Handle("POST /api/vcenter/system", rest)
	return l, nil
}

// Handler answers all requests.
func (l *Lab) Handler() http.Handler { return l.mux }
