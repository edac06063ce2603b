package boot

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func testModules(loaded *[]string, failures map[string]error) *Modules {
	return NewModules([]Module{
		{Name: "virtio_blk", File: "virtio_blk.ko", Depends: []string{"virtio", "virtio_ring"}, Aliases: []string{"virtio:d00000002v*"}},
		{Name: "virtio_ring", File: "virtio_ring.ko", Depends: []string{"virtio"}},
		{Name: "virtio", File: "virtio.ko"},
		{Name: "virtio_pci", File: "virtio_pci.ko", Depends: []string{"virtio_ring"}, Aliases: []string{"pci:v00001AF4d*sv*sd*bc*sc*i*"}},
		{Name: "overlay", File: "overlay.ko", Always: true},
		{Name: "a", File: "a.ko", Depends: []string{"b"}},
		{Name: "b", File: "b.ko", Depends: []string{"a"}},
		{Name: "lonely", File: "lonely.ko", Depends: []string{"absent"}},
	}, func(file string) error {
		if err := failures[file]; err != nil {
			return err
		}
		*loaded = append(*loaded, strings.TrimSuffix(file, ".ko"))
		return nil
	})
}

func TestModulesLoadAfterWhatTheyNeed(t *testing.T) {
	var loaded []string
	m := testModules(&loaded, nil)
	if err := m.LoadAlways(); err != nil {
		t.Fatal(err)
	}
	count, err := m.LoadMatching([]string{"pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00", "acpi:LNXSYSTM:"})
	if err != nil || count != 1 {
		t.Fatalf("%d, %v", count, err)
	}
	count, err = m.LoadMatching([]string{"virtio:d00000002v00001AF4"})
	if err != nil || count != 1 {
		t.Fatalf("%d, %v", count, err)
	}
	if want := []string{"overlay", "virtio", "virtio_ring", "virtio_pci", "virtio_blk"}; !slices.Equal(loaded, want) {
		t.Errorf("loaded %v, want %v", loaded, want)
	}
	if count, err := m.LoadMatching([]string{"virtio:d00000002v00001AF4"}); count != 0 || err != nil {
		t.Errorf("again: %d, %v", count, err)
	}
}

func TestModulesThatCannotBeLoaded(t *testing.T) {
	var loaded []string
	m := testModules(&loaded, map[string]error{"virtio.ko": unix.ENOEXEC})
	for name, want := range map[string]string{
		"a":          "the modules a, b, a depend on each other",
		"lonely":     "module lonely needs absent is not in the index",
		"virtio_blk": "load the module virtio: exec format error",
	} {
		if err := m.Load(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestModuleWithoutItsDeviceIsPassedOver(t *testing.T) {
	var loaded []string
	m := testModules(&loaded, map[string]error{"virtio_blk.ko": unix.ENODEV})
	if count, err := m.LoadMatching([]string{"virtio:d00000002v00001AF4"}); count != 0 || err != nil {
		t.Errorf("%d, %v", count, err)
	}
	if err := m.Load("virtio_blk"); errors.Is(err, unix.ENODEV) {
		t.Error("tried again")
	}
}

func TestMissingIndexIsEmpty(t *testing.T) {
	m, err := ReadModules(t.TempDir())
	if err != nil || !m.Empty() {
		t.Errorf("%v, %v", m, err)
	}
}
