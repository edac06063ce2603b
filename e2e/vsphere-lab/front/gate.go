package front

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Gate is before everything: it delays requests, and holds them all while the vCenter hangs.
type Gate struct {
	Next http.Handler

	mu     sync.Mutex
	delays map[string]time.Duration
	until  time.Time
}

// SetLatency replaces the delays of the protocols.
func (g *Gate) SetLatency(delays map[string]time.Duration) error {
	for protocol, delay := range delays {
		switch protocol {
		case "soap", "json", "rest", "folder":
		default:
			return fmt.Errorf("unknown protocol %q: it is soap, json, rest or folder", protocol)
		}
		if delay < 0 {
			return fmt.Errorf("%s cannot answer before it is asked", protocol)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delays = delays
	return nil
}

// Hang holds all requests that come for a while.
func (g *Gate) Hang(duration time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = time.Now().Add(duration)
}

func protocolOf(path string) string {
	switch {
	case strings.HasPrefix(path, jsonPrefix):
		return "json"
	case strings.HasPrefix(path, "/sdk"):
		return "soap"
	case strings.HasPrefix(path, "/folder"):
		return "folder"
	}
	return "rest"
}

func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	wait := max(time.Until(g.until), 0) + g.delays[protocolOf(r.URL.Path)]
	g.mu.Unlock()
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		}
	}
	g.Next.ServeHTTP(w, r)
}
