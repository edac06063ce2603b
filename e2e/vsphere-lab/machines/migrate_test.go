package machines

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"dev.berth/e2e/vsphere-lab/machines/testboot"
)

func TestLiveMigration(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	boot := b.awaitInfo("guestinfo.test.boot", 1)
	line := b.far.accept()
	if answer := line.ask("before"); answer != boot+" before" {
		t.Fatalf("the guest answers %q", answer)
	}
	connection := dialGuest(t)
	echoes(t, connection, "before")
	hosts := []string{"host-2", "host-1", "host-3"}
	for _, host := range hosts {
		b.awaitCount(20)
		first, _ := b.fleet.Process("vm-1")
		began := time.Now()
		if err := b.fleet.Migrate(context30(t), "vm-1", host); err != nil {
			t.Fatal(err)
		}
		t.Logf("to %s in %s", host, time.Since(began).Round(time.Millisecond))
		if second, _ := b.fleet.Process("vm-1"); second == first {
			t.Error("the same QEMU runs on")
		}
		if at, _ := b.fleet.Host("vm-1"); at != host {
			t.Errorf("it runs on %s", at)
		}
		// The connection breaks and the destination dials.
		line = b.far.accept()
		if answer := line.ask(host); answer != boot+" "+host {
			t.Errorf("on %s the guest answers %q", host, answer)
		}
		echoes(t, connection, host)
		b.awaitCount(20)
	}
	if boots := b.counts(); !slices.Equal(boots, []string{boot}) {
		t.Errorf("the boots %v have counted, not %s alone", boots, boot)
	}
	checkWritten(t, b)
	for i, host := range hosts {
		event := b.await("migrated", i+1, func(e Event) bool { return e.Kind == Migrated })
		if event.Host != host {
			t.Errorf("migration %d is told as one to %s", i+1, event.Host)
		}
	}
	line.say("poweroff")
	b.awaitExit(GuestOff)
}

// A migration that is given no time leaves the machine where it was.
func TestMigrationFails(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	boot := b.awaitInfo("guestinfo.test.boot", 1)
	process, _ := b.fleet.Process("vm-1")
	for _, limit := range []time.Duration{0, 100 * time.Millisecond, 150 * time.Millisecond, 200 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := b.fleet.Migrate(ctx, "vm-1", "host-2")
		cancel()
		if err == nil {
			t.Logf("%s is time enough", limit)
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		b.awaitCount(5)
		if at, _ := b.fleet.Host("vm-1"); at != "host-1" {
			t.Errorf("it runs on %s", at)
		}
		if now, _ := b.fleet.Process("vm-1"); now != process {
			t.Error("another QEMU runs")
		}
	}
	if err := b.fleet.Migrate(context30(t), "vm-1", "host-3"); err != nil {
		t.Fatal(err)
	}
	b.awaitCount(5)
	if boots := b.counts(); !slices.Equal(boots, []string{boot}) {
		t.Errorf("the boots %v have counted, not %s alone", boots, boot)
	}
}

func TestSuspend(t *testing.T) {
	b := newBench(t, testboot.GuestISO(t))
	b.powerOn(t.Context(), "vm-1", "host-1")
	boot := b.awaitInfo("guestinfo.test.boot", 1)
	b.awaitCount(5)
	if err := b.fleet.Suspend(context30(t), "vm-1"); err != nil {
		t.Fatal(err)
	}
	b.awaitExit(SuspendedOff)
	if _, on := b.fleet.Host("vm-1"); on {
		t.Fatal("it runs")
	}
	b.powerOn(t.Context(), "vm-1", "host-2")
	b.await("start", 2, func(e Event) bool { return e.Kind == Started })
	b.awaitCount(5)
	if boots := b.counts(); !slices.Equal(boots, []string{boot}) {
		t.Errorf("the boots %v have counted, not %s alone", boots, boot)
	}
	if err := b.fleet.Suspend(context30(t), "vm-1"); err != nil {
		t.Fatal(err)
	}
	if err := b.fleet.PowerOff(t.Context(), "vm-1"); err != nil {
		t.Fatal(err)
	}
	event := b.await("exit", 3, func(e Event) bool { return e.Kind == Exited })
	if event.Reason != PoweredOff {
		t.Errorf("a suspended machine is powered off with %q", event.Reason)
	}
}
