package lab

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAnOutageClosesThePortAndKeepsTheSessions(t *testing.T) {
	c := start(t, licensed)
	server, err := Serve(c.lab, "127.0.0.1:0", c.server.TLS.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	control := httptest.NewServer(c.lab.Control("secret"))
	defer control.Close()
	ask := func() (int, error) {
		request, _ := http.NewRequest(http.MethodGet, "https://"+server.Address()+"/sdk/vim25/8.0.3.0/Datacenter/"+strings.TrimPrefix(c.find("/DC0"), "Datacenter/")+"/name", nil)
		request.Header.Set("vmware-api-session-id", c.session)
		response, err := c.http.Do(request)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	if status, err := ask(); status != http.StatusOK {
		t.Fatalf("before: %d, %v", status, err)
	}
	response, err := http.Post(control.URL+"/secret/outage", "application/json", strings.NewReader(`{"seconds":0.3}`))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the door answers %v, %v", response, err)
	}
	response.Body.Close()
	if status, err := ask(); err == nil {
		t.Errorf("while it is away: %d", status)
	}
	c.until("it is back", func() bool { status, _ := ask(); return status == http.StatusOK })
	if err := c.lab.Outage("hang", 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	c.find("/DC0")
	if waited := time.Since(before); waited < 150*time.Millisecond {
		t.Errorf("it answered after %v", waited)
	}
	for _, refused := range []string{`{"seconds":1,"mode":"sulk"}`, `{"second":1}`, `{}`} {
		response, err := http.Post(control.URL+"/secret/outage", "application/json", strings.NewReader(refused))
		if err != nil || response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s gives %v, %v", refused, response, err)
			continue
		}
		response.Body.Close()
	}
}
