package boot

import (
	"testing"
	"time"
)

func TestCounted(t *testing.T) {
	const cpuinfo = "processor\t: 0\nmodel name\t: QEMU TCG CPU version 2.5+\ncpu MHz\t\t: 2000.500\ncache size\t: 512 KB\n"
	if got, err := counted(4_001_000_000, cpuinfo); err != nil || got != 2*time.Second {
		t.Errorf("got %s, %v", got, err)
	}
	for _, unusable := range []string{"processor\t: 0\n", "cpu MHz\t\t: 0.000\n", "cpu MHz\t\t: unknown\n"} {
		if got, err := counted(1, unusable); err == nil {
			t.Errorf("%q gives %s", unusable, got)
		}
	}
}

func TestTimestampCounterCounts(t *testing.T) {
	if first, second := timestampCounter(), timestampCounter(); second <= first {
		t.Errorf("%d is not after %d", second, first)
	}
}
