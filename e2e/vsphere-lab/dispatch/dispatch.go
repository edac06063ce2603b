// Package dispatch brings decoded method calls to the simulator's objects, whichever protocol they came by, through a
// chain of layers that may answer them first.
//
// The simulator keeps its Context, which methods need for their session and its events, to itself. Each call is therefore
// carried by a tiny SOAP request of its own into the simulator, whose Registry.Handler hook is given the Context; the call
// runs there and the carrier is then thrown away.
package dispatch

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Call is one method call on its way to its object.
type Call struct {
	// Context is the simulator's; its Session is nil before login. It may be used by this call alone, as it holds locks.
	Context *simulator.Context
	// Request is done when the client has gone.
	Request context.Context
	Method  string
	This    types.ManagedObjectReference
	// Body points to the request structure of the method, of govmomi's vim25/types.
	Body any
	// Header is of a SOAP request; empty in JSON.
	Header soap.Header
	// Internal calls are the lab's own, which no rule about clients touches.
	Internal bool
}

// Handler answers a call with the response structure of its method, of govmomi's vim25/methods, or one with a fault.
type Handler func(*Call) soap.HasFault

// Layer answers a call or passes it on.
type Layer func(call *Call, next Handler) soap.HasFault

// Dispatcher runs calls.
type Dispatcher struct {
	service *simulator.Service
	handler Handler
	// innermost is the last in the chain.
	innermost Handler
	secret    string

	mu      sync.Mutex
	last    int
	carried map[string]func(*simulator.Context)
	system  *simulator.Context
}

// New takes over the calls of a simulator. The layers are asked in their order; then the innermost, if there is one, which hears the lab's
// own calls too.
func New(service *simulator.Service, innermost Layer, layers ...Layer) *Dispatcher {
	d := &Dispatcher{service: service, secret: rand.Text(), carried: map[string]func(*simulator.Context){}, innermost: invoke}
	if innermost != nil {
		d.innermost = func(call *Call) soap.HasFault { return innermost(call, invoke) }
	}
	d.handler = d.innermost
	for i := len(layers) - 1; i >= 0; i-- {
		layer, next := layers[i], d.handler
		d.handler = func(call *Call) soap.HasFault { return layer(call, next) }
	}
	service.Context.Map.Handler = d.intercept
	d.carry(&http.Request{Header: http.Header{}}, "", func(ctx *simulator.Context) {
		d.system = ctx
	})
	return d
}

// Do runs a client's call in the session with the given identifier, if there is one. A login's session is a cookie in the
// returned headers.
func (d *Dispatcher) Do(r *http.Request, session string, call *Call) (soap.HasFault, http.Header) {
	var response soap.HasFault
	headers := d.carry(r, session, func(ctx *simulator.Context) {
		ctx.Header = call.Header
		ctx.Caller = &call.This
		call.Context = ctx
		call.Request = r.Context()
		response = d.handler(call)
	})
	if response == nil {
		response = Refuse(&types.SystemError{}, "the simulator lost the call")
	}
	return response, headers
}

// Authenticated tells whether the session exists, and keeps it from expiring.
func (d *Dispatcher) Authenticated(r *http.Request, session string) (user string, ok bool) {
	d.carry(r, session, func(ctx *simulator.Context) {
		if ctx.Session != nil {
			user, ok = ctx.Session.UserName, true
		}
	})
	return user, ok
}

// System gives a Context for the lab's own work, for one piece of work alone. It has a session that no client can see.
func (d *Dispatcher) System() *simulator.Context {
	ctx := *d.system
	ctx.Context = context.Background()
	ctx.Session = &simulator.Session{
		UserSession: types.UserSession{Key: "lab", UserName: "VSPHERE.LOCAL\\vpxd-lab"},
		Registry:    simulator.NewRegistry(),
		Map:         ctx.Map,
	}
	return &ctx
}

// Internal runs a call of the lab's own past all layers but the innermost.
func (d *Dispatcher) Internal(ctx *simulator.Context, this types.ManagedObjectReference, method string, body any) soap.HasFault {
	return d.innermost(&Call{Context: ctx, Request: ctx, Method: method, This: this, Body: body, Internal: true})
}

const carrierEnvelope = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Header><operationID>%s</operationID></Header>` +
	`<Body><CurrentTime xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this></CurrentTime></Body></Envelope>`

func (d *Dispatcher) carry(r *http.Request, session string, run func(*simulator.Context)) http.Header {
	d.mu.Lock()
	d.last++
	id := fmt.Sprintf("%s-%d", d.secret, d.last)
	d.carried[id] = run
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.carried, id)
		d.mu.Unlock()
	}()
	carrier, err := http.NewRequest(http.MethodPost, d.service.Context.Map.Path, bytes.NewReader(fmt.Appendf(nil, carrierEnvelope, id)))
	if err != nil {
		panic(err) // the URL is a constant
	}
	carrier.RemoteAddr = r.RemoteAddr
	carrier.TLS = r.TLS
	carrier.Header.Set("User-Agent", r.UserAgent())
	if session != "" {
		carrier.AddCookie(&http.Cookie{Name: soap.SessionCookieName, Value: session})
	}
	w := &discarded{header: http.Header{}}
	d.service.ServeSDK(w, carrier)
	return w.header
}

// intercept is the simulator's hook before each call: its own internal ones pass, carriers run what they carry.
func (d *Dispatcher) intercept(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	d.mu.Lock()
	run := d.carried[method.Header.ID]
	delete(d.carried, method.Header.ID)
	d.mu.Unlock()
	if run == nil {
		return nil, nil
	}
	ctx.Header = soap.Header{}
	run(ctx)
	return nil, &types.RequestCanceled{} // ends the carrier
}

type discarded struct{ header http.Header }

func (w *discarded) Header() http.Header         { return w.header }
func (w *discarded) WriteHeader(int)             {}
func (w *discarded) Write(p []byte) (int, error) { return len(p), nil }

// Resolve finds an object as the session of a Context sees it, nil if there is none.
func Resolve(ctx *simulator.Context, ref types.ManagedObjectReference) mo.Reference {
	if ctx.Session != nil {
		return ctx.Session.Get(ref)
	}
	return ctx.Map.Get(ref)
}

// invoke calls the method on the simulator's object.
func invoke(call *Call) soap.HasFault {
	object := Resolve(call.Context, call.This)
	if object == nil {
		return Refuse(&types.ManagedObjectNotFound{Obj: call.This},
			"The object '%s:%s' has already been deleted or has not been completely created", call.This.Type, call.This.Value)
	}
	method := find(object, call.Method)
	if !method.IsValid() {
		return Refuse(&types.MethodNotFound{Receiver: call.This, Method: call.Method},
			"%s does not implement %s in this lab", call.This.Type, call.Method)
	}
	arguments := []reflect.Value{reflect.ValueOf(call.Body)}
	if method.Type().NumIn() == 2 {
		arguments = append([]reflect.Value{reflect.ValueOf(call.Context)}, arguments...)
	}
	if want := method.Type().In(method.Type().NumIn() - 1); !arguments[len(arguments)-1].Type().AssignableTo(want) {
		return Refuse(&types.MethodNotFound{Receiver: call.This, Method: call.Method}, "%s has no method %s", call.This.Type, call.Method)
	}
	var response soap.HasFault
	call.Context.WithLock(object, func() {
		response, _ = method.Call(arguments)[0].Interface().(soap.HasFault)
	})
	return response
}

// find gives the Go method of a wire name; the simulator calls "X_Task" XTask.
func find(object mo.Reference, name string) reflect.Value {
	name = strings.ToUpper(name[:1]) + name[1:]
	if cut, ok := strings.CutSuffix(name, "_Task"); ok {
		name = cut + "Task"
	}
	method := reflect.ValueOf(object).MethodByName(name)
	if !method.IsValid() || method.Type().NumOut() != 1 || method.Type().NumIn() < 1 || method.Type().NumIn() > 2 {
		return reflect.Value{}
	}
	return method
}
