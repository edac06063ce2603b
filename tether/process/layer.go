package process

import (
	"fmt"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"strings"

	"berth.dev/tether/boot"
	"berth.dev/tether/crash"
)

// layer is the writable layer of one attempt.
type layer struct{ directory string }

const attemptsDirectory = boot.ScratchDirectory + "/attempts"

// newLayer makes an empty layer. What earlier attempts and an earlier boot left is removed in the background.
func (c *Container) newLayer(attempt uint32) (*layer, error) {
	l := &layer{directory: filepath.Join(attemptsDirectory, attemptName(attempt))}
	if _, err := os.Lstat(attemptsDirectory); err == nil {
		removeLeftovers()
		removeInBackground(attemptsDirectory)
	}
	for _, name := range []string{"upper", "work"} {
		if err := os.MkdirAll(filepath.Join(l.directory, name), 0o755); err != nil {
			return nil, fmt.Errorf("make the scratch layer: %w", err)
		}
	}
	return l, nil
}

// options gives the overlay's mount options. The layer does not outlive the VM, so that nothing need be synced ("volatile").
func (l *layer) options() string {
	return "lowerdir=" + boot.ImageDirectory + ",upperdir=" + l.directory + "/upper,workdir=" + l.directory + "/work,volatile"
}

// discard removes the layer in the background.
func (l *layer) discard() { removeInBackground(l.directory) }

// removeInBackground takes a directory away at once and its content later.
func removeInBackground(directory string) {
	trash, err := os.MkdirTemp(boot.ScratchDirectory, "trash-")
	if err != nil {
		return
	}
	if err := os.Rename(directory, filepath.Join(trash, "old")); err != nil {
		_ = os.Remove(trash)
		return
	}
	crash.Go(func() { _ = os.RemoveAll(trash) })
}

// removeLeftovers removes in the background what there was no time to remove before. A disk on which nothing ran has none.
func removeLeftovers() {
	entries, err := os.ReadDir(boot.ScratchDirectory)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), "trash-") {
			crash.Go(func() { _ = os.RemoveAll(filepath.Join(boot.ScratchDirectory, entry.Name())) })
		}
	}
}
