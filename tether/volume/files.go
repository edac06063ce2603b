// Package volume writes the files of in-memory volumes so that readers see all of the old ones or all of the new ones.
package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	dataLink = "..data"
	newLink  = "..data_tmp"
)

// ErrInvalid is wrapped by errors of names that a volume or file cannot have.
var ErrInvalid = errors.New("invalid name")

// File is one file of a volume.
type File struct {
	Path    string
	Content []byte
	// Mode has permission bits only.
	Mode uint32
}

// Owner is who owns a volume's files; nil leaves root. With a group, files become readable by it.
type Owner struct {
	User, Group *uint32
}

// Store is a directory of volumes.
type Store struct {
	Directory string

	mu sync.Mutex
}

// Path gives a volume's directory, which is there after its first Write.
func (s *Store) Path(volume string) (string, error) {
	if volume == "" || strings.Contains(volume, "/") || strings.HasPrefix(volume, ".") {
		return "", fmt.Errorf("%w: the volume %q is not a plain file name", ErrInvalid, volume)
	}
	return filepath.Join(s.Directory, volume), nil
}

// Write replaces all files of a volume atomically: every file is a symbolic link through the link "..data", which is renamed over.
// Writing what is there already changes nothing.
func (s *Store) Write(volume string, files []File, owner Owner) error {
	target, err := s.Path(volume)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := checkPath(file.Path); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := makeDirectory(target, owner); err != nil {
		return err
	}
	old, err := os.Readlink(filepath.Join(target, dataLink))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	next, err := s.writeVersion(target, files, owner)
	if err != nil {
		return fmt.Errorf("write the volume %s: %w", volume, err)
	}
	if old != "" && sameTree(filepath.Join(target, old), filepath.Join(target, next)) {
		return os.RemoveAll(filepath.Join(target, next))
	}
	return publish(target, old, next, files)
}

func checkPath(path string) error {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "..") || slices.Contains(strings.Split(path, "/"), "..") ||
		filepath.Clean(path) != path || path == "." || len(path) > 4096 {
		return fmt.Errorf("%w: the file path %q must be relative, plain and without \"..\"", ErrInvalid, path)
	}
	return nil
}

// writeVersion writes the files into a new hidden directory and gives its name.
func (s *Store) writeVersion(target string, files []File, owner Owner) (string, error) {
	directory, err := os.MkdirTemp(target, time.Now().UTC().Format("..2006_01_02_15_04_05."))
	if err != nil {
		return "", err
	}
	if err := own(directory, 0o755, owner, true); err != nil {
		return "", err
	}
	for _, file := range files {
		if err := writeFile(directory, file, owner); err != nil {
			return "", errors.Join(err, os.RemoveAll(directory))
		}
	}
	return filepath.Base(directory), nil
}

func writeFile(directory string, file File, owner Owner) error {
	parts := strings.Split(file.Path, "/")
	parent := directory
	for _, part := range parts[:len(parts)-1] {
		parent = filepath.Join(parent, part)
		if err := makeDirectory(parent, owner); err != nil {
			return err
		}
	}
	path := filepath.Join(directory, file.Path)
	if err := os.WriteFile(path, file.Content, 0o600); err != nil {
		return err
	}
	return own(path, fs.FileMode(file.Mode&0o777), owner, false)
}

func makeDirectory(path string, owner Owner) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err
	}
	return own(path, 0o755, owner, true)
}

func own(path string, mode fs.FileMode, owner Owner, directory bool) error {
	uid, gid := -1, -1
	if owner.User != nil && !directory {
		uid = int(*owner.User)
	}
	if owner.Group != nil {
		gid = int(*owner.Group)
		mode |= 0o440
		if directory {
			mode |= 0o110 | fs.ModeSetgid
		}
	}
	if err := os.Lchown(path, uid, gid); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// publish turns readers to the new version, then tidies up.
func publish(target, old, next string, files []File) error {
	temporary := filepath.Join(target, newLink)
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(next, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(target, dataLink)); err != nil {
		return err
	}
	if err := linkEntries(target, files); err != nil {
		return err
	}
	if old == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(target, old))
}

// linkEntries makes the volume's visible entries those of the files.
func linkEntries(target string, files []File) error {
	wanted := map[string]bool{}
	for _, file := range files {
		first, _, _ := strings.Cut(file.Path, "/")
		wanted[first] = true
		err := os.Symlink(filepath.Join(dataLink, first), filepath.Join(target, first))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	entries, err := os.ReadDir(target)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "..") && !wanted[entry.Name()] {
			if err := os.RemoveAll(filepath.Join(target, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameTree tells whether two versions have the same files with the same content, mode and owner.

func sameTree(a, b string) bool {
	before, err := describe(a)
	if err != nil {
		return false
	}
	after, err := describe(b)
	if err != nil || len(before) != len(after) {
		return false
	}
	for path, was := range before {
		is, ok := after[path]
		if !ok || was.info != is.info || !bytes.Equal(was.content, is.content) {
			return false
		}
	}
	return true
}
