// Package faults lets tests make calls fail, slow or lost.
package faults

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Ways to fail.
const (
	// Refused calls are answered with the fault and do nothing.
	Refused = "refused"
	// Task methods return a task, which then fails with the fault and does nothing.
	Task = "task"
	// Lost calls are run, but the connection breaks before the answer.
	Lost = "lost"
	// Broken calls are not run, and the connection breaks.
	Broken = "broken"
	// Status answers with an HTTP status and does nothing.
	Status = "status"
)

// Rule says which calls fail, and how.
type Rule struct {
	ID int `json:"id"`
	// Method is the exact name of a method; empty for any.
	Method string `json:"method,omitempty"`
	// Path is the beginning of an HTTP request's path, after its method and a space: "PUT /folder/". Such rules know the ways
	// broken, lost and status only.
	Path string `json:"path,omitempty"`
	// Object is a type, an identifier or a name of the object called; empty for any.
	Object string `json:"object,omitempty"`
	// Nth matching call is the first that fails: 1, the default, is the next.
	Nth int `json:"nth,omitempty"`
	// Count of calls that fail; 0 for one, -1 for all from then on.
	Count int `json:"count,omitempty"`
	// Way to fail; the default is refused, for paths status.
	Way string `json:"way,omitempty"`
	// Fault is the type of a fault, the default is RuntimeFault's SystemError.
	Fault string `json:"fault,omitempty"`
	// Message is what a person reads.
	Message string `json:"message,omitempty"`
	// Status of HTTP; the default is 503.
	Status int `json:"status,omitempty"`
	// RetryAfter goes with the status, in seconds.
	RetryAfter int `json:"retryAfter,omitempty"`
	// Seen counts the calls that matched, and Failed those of them that failed.
	Seen   int `json:"seen"`
	Failed int `json:"failed"`
}

// Rules in force, and the number of calls of each method.
type Rules struct {
	mu    sync.Mutex
	last  int
	rules []*Rule
	calls map[string]int
}

// New has no rules.
func New() *Rules { return &Rules{calls: map[string]int{}} }

// Add takes a rule and gives its number.
func (r *Rules) Add(rule Rule) (int, error) {
	if rule.Fault == "" {
		rule.Fault = "SystemError"
	}
	if rule.Way == "" {
		rule.Way = Refused
		if rule.Path != "" {
			rule.Way = Status
		}
	}
	if rule.Status == 0 {
		rule.Status = http.StatusServiceUnavailable
	}
	if rule.Count == 0 {
		rule.Count = 1
	}
	rule.Nth = max(rule.Nth, 1)
	if err := rule.check(); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	rule.ID, rule.Seen, rule.Failed = r.last, 0, 0
	r.rules = append(r.rules, &rule)
	return rule.ID, nil
}

func (rule *Rule) check() error {
	switch rule.Way {
	case Refused, Task:
		if rule.Path != "" {
			return errors.New("a rule for a path cannot answer with a fault")
		}
	case Lost, Broken, Status:
	default:
		return fmt.Errorf("unknown way %q", rule.Way)
	}
	if rule.Way == Task && !strings.HasSuffix(rule.Method, "_Task") {
		return fmt.Errorf("%q is no method with a task", rule.Method)
	}
	if rule.Method != "" {
		if _, ok := types.TypeFunc()(rule.Method); !ok {
			return fmt.Errorf("unknown method %q", rule.Method)
		}
	}
	_, err := newFault(rule.Fault)
	return err
}

func newFault(name string) (types.BaseMethodFault, error) {
	t, ok := types.TypeFunc()(name)
	if ok && t.Kind() == reflect.Struct {
		if fault, ok := reflect.New(t).Interface().(types.BaseMethodFault); ok {
			return fault, nil
		}
	}
	return nil, fmt.Errorf("unknown fault %q", name)
}

// All rules with their counts.
func (r *Rules) All() []Rule {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Rule, 0, len(r.rules))
	for _, rule := range r.rules {
		all = append(all, *rule)
	}
	return all
}

// Clear ends all rules.
func (r *Rules) Clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = nil
}

// Calls gives how often each method was called since the start or the last ResetCalls.
func (r *Rules) Calls() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := make(map[string]int, len(r.calls))
	for method, count := range r.calls {
		calls[method] = count
	}
	return calls
}

// ResetCalls counts from nothing again.
func (r *Rules) ResetCalls() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.calls)
}

// hit finds the rule by which something fails now.
func (r *Rules) hit(matches func(*Rule) bool) *Rule {
	var found *Rule
	for _, rule := range r.rules {
		if !matches(rule) {
			continue
		}
		rule.Seen++
		if found == nil && rule.Seen >= rule.Nth && (rule.Count < 0 || rule.Failed < rule.Count) {
			rule.Failed++
			copied := *rule
			found = &copied
		}
	}
	return found
}

// Layer makes calls fail by the rules.
func (r *Rules) Layer(call *dispatch.Call, next dispatch.Handler) soap.HasFault {
	name := nameOf(call)
	r.mu.Lock()
	r.calls[call.Method]++
	rule := r.hit(func(rule *Rule) bool {
		return rule.Path == "" && (rule.Method == "" || rule.Method == call.Method) &&
			(rule.Object == "" || rule.Object == call.This.Type || rule.Object == call.This.Value || rule.Object == name)
	})
	r.mu.Unlock()
	if rule == nil {
		return next(call)
	}
	message := rule.Message
	if message == "" {
		message = "a fault of the test"
	}
	fault, _ := newFault(rule.Fault)
	switch rule.Way {
	case Lost:
		next(call)
		return &dispatch.Interrupted{}
	case Broken:
		return &dispatch.Interrupted{}
	case Status:
		return &dispatch.Interrupted{Status: rule.Status, RetryAfter: rule.RetryAfter}
	case Task:
		return dispatch.FailedTask(call, fault)
	}
	return dispatch.Refuse(fault, "%s", message)
}

func nameOf(call *dispatch.Call) string {
	entity, ok := call.Context.Map.Get(call.This).(mo.Entity)
	if !ok {
		return ""
	}
	var name string
	call.Context.WithLock(entity, func() { name = entity.Entity().Name })
	return name
}

// Handler makes HTTP requests fail by the rules for paths.
func (r *Rules) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		line := request.Method + " " + request.URL.Path
		r.mu.Lock()
		rule := r.hit(func(rule *Rule) bool { return rule.Path != "" && strings.HasPrefix(line, rule.Path) })
		r.mu.Unlock()
		switch {
		case rule == nil:
			next.ServeHTTP(w, request)
		case rule.Way == Status:
			dispatch.Interrupted{Status: rule.Status, RetryAfter: rule.RetryAfter}.Answer(w)
		case rule.Way == Lost:
			next.ServeHTTP(&silent{http.Header{}}, request)
			panic(http.ErrAbortHandler)
		default:
			panic(http.ErrAbortHandler)
		}
	})
}

type silent struct{ header http.Header }

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) WriteHeader(int)             {}
func (s *silent) Write(p []byte) (int, error) { return len(p), nil }
