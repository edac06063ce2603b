package machines

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestGuestLines(t *testing.T) {
	var told []string
	refused := 0
	g := guestLines{tell: func(key, value string) { told = append(told, key+"="+value) }, refuse: func(error) { refused++ }}
	text := `{"key":"guestinfo.a","value":"1"}
{"key":"guestinfo.b","value":""}
not JSON
{"key":"guestinfo.c"}
{"key":"other","value":"1"}
{"key":"guestinfo.","value":"1"}
{"key":"guestinfo./read.only","value":"1"}
{"key":"guestinfo.d","value":"1","more":1}
` + `{"key":"guestinfo.long","value":"` + strings.Repeat("x", 2*LineLimit) + "\"}\n" +
		`{"key":"guestinfo.e","value":"ä\n2"}
{"key":"guestinfo.f","val`
	g.read(iotest.OneByteReader(strings.NewReader(text)))
	// The rest comes over another port.
	g.read(strings.NewReader("ue\":\"moved\"}\n{\"key\":\"guestinfo.g\",\"value\":\"cut"))
	wanted := []string{"guestinfo.a=1", "guestinfo.b=", "guestinfo.e=ä\n2", "guestinfo.f=moved"}
	if !slices.Equal(told, wanted) {
		t.Errorf("told %q, not %q", told, wanted)
	}
	if refused < 7 {
		t.Errorf("%d lines were refused, not 7", refused)
	}
}

func TestGuestLineOfTheLongestLength(t *testing.T) {
	told := 0
	g := guestLines{tell: func(string, string) { told++ }, refuse: func(err error) { t.Error(err) }}
	begin, end := `{"key":"guestinfo.a","value":"`, "\"}\n"
	line := begin + strings.Repeat("x", LineLimit-len(begin)-len(end)) + end
	g.read(strings.NewReader(line + line))
	if told != 2 {
		t.Errorf("%d lines were told, not 2", told)
	}
}

func TestEventsComeInOrder(t *testing.T) {
	var got []string
	var e *events
	e = newEvents(func(event Event) {
		got = append(got, event.ID)
		// An observer may cause events.
		if len(got) == 1 {
			e.put(Event{ID: "caused"})
		}
	})
	var wanted []string
	for i := range 100 {
		e.put(Event{ID: fmt.Sprint(i)})
		wanted = append(wanted, fmt.Sprint(i))
	}
	<-e.told()
	got = slices.DeleteFunc(got, func(id string) bool { return id == "caused" })
	if !slices.Equal(got, wanted) {
		t.Errorf("got %q", got)
	}
}
