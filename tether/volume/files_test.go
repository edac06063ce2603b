package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	return &Store{Directory: t.TempDir()}
}

func put(t *testing.T, s *Store, files ...File) string {
	t.Helper()
	if err := s.Write("config", files, Owner{}); err != nil {
		t.Fatal(err)
	}
	path, err := s.Path("config")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func expectFile(t *testing.T, path, want string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil || string(content) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), content, err, want)
	}
}

func TestFilesAreLinksThroughData(t *testing.T) {
	dir := put(t, newStore(t), File{Path: "key", Content: []byte("value"), Mode: 0o644}, File{Path: "deep/er/file", Content: []byte("x"), Mode: 0o400},
		File{Path: "closed", Content: []byte("x")})
	expectFile(t, filepath.Join(dir, "key"), "value")
	expectFile(t, filepath.Join(dir, "deep/er/file"), "x")
	for name, want := range map[string]string{"key": "..data/key", "deep": "..data/deep"} {
		if target, err := os.Readlink(filepath.Join(dir, name)); err != nil || target != want {
			t.Errorf("%s is a link to %q, %v", name, target, err)
		}
	}
	for name, want := range map[string]fs.FileMode{"key": 0o644, "deep/er/file": 0o400, "closed": 0, "deep": 0o755 | fs.ModeDir, ".": 0o755 | fs.ModeDir} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestReplacementRemovesAndAdds(t *testing.T) {
	s := newStore(t)
	dir := put(t, s, File{Path: "old", Content: []byte("1"), Mode: 0o644}, File{Path: "both", Content: []byte("1"), Mode: 0o644}, File{Path: "kind/file"})
	put(t, s, File{Path: "both", Content: []byte("2"), Mode: 0o644}, File{Path: "new", Content: []byte("2"), Mode: 0o644}, File{Path: "kind", Content: []byte("f"), Mode: 0o644})
	expectFile(t, filepath.Join(dir, "both"), "2")
	expectFile(t, filepath.Join(dir, "new"), "2")
	expectFile(t, filepath.Join(dir, "kind"), "f")
	if _, err := os.Lstat(filepath.Join(dir, "old")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("old: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 { // ..data, one version, three links
		t.Errorf("%d entries: %v, %v", len(entries), entries, err)
	}
}

func TestSameFilesChangeNothing(t *testing.T) {
	s := newStore(t)
	file := File{Path: "key", Content: []byte("value"), Mode: 0o644}
	dir := put(t, s, file)
	before, err := os.Readlink(filepath.Join(dir, dataLink))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, file)
	if after, err := os.Readlink(filepath.Join(dir, dataLink)); err != nil || after != before {
		t.Errorf("%s became %s, %v", before, after, err)
	}
	file.Mode = 0o600
	put(t, s, file)
	if after, err := os.Readlink(filepath.Join(dir, dataLink)); err != nil || after == before {
		t.Errorf("a new mode changed nothing, %v", err)
	}
}

func TestReadersSeeAllOldOrAllNew(t *testing.T) {
	s := newStore(t)
	version := func(i int) []File {
		text := []byte(fmt.Sprint(i))
		return []File{{Path: "a", Content: text, Mode: 0o644}, {Path: "b", Content: text, Mode: 0o644}}
	}
	dir := put(t, s, version(0)...)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	whole := 0
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			data, err := os.Open(filepath.Join(dir, dataLink))
			if errors.Is(err, fs.ErrNotExist) {
				continue // The link led to a version that went before it was opened, as it may under a kubelet's volumes.
			}
			if err != nil {
				t.Error(err)
				return
			}
			a, errA := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/a", data.Fd()))
			b, errB := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/b", data.Fd()))
			_ = data.Close()
			if errA != nil || errB != nil {
				continue
			}
			if string(a) != string(b) {
				t.Errorf("a is of version %s, b of %s", a, b)
				return
			}
			whole++
		}
	})
	for i := range 200 {
		put(t, s, version(i+1)...)
	}
	close(stop)
	readers.Wait()
	if whole == 0 {
		t.Error("no version was read as a whole")
	}
}

func TestOwners(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give files away")
	}
	s := newStore(t)
	user, group := uint32(1000), uint32(2000)
	if err := s.Write("token", []File{{Path: "d/token", Mode: 0o600}}, Owner{User: &user, Group: &group}); err != nil {
		t.Fatal(err)
	}
	dir, _ := s.Path("token")
	tree, err := describe(filepath.Join(dir, dataLink) + "/.")
	if err != nil {
		t.Fatal(err)
	}
	if got := tree["d/token"].info; got != (identity{0o640, 1000, 2000}) {
		t.Errorf("the token is %+v", got)
	}
	if got := tree["d"].info; got != (identity{0o755 | fs.ModeDir | fs.ModeSetgid, 0, 2000}) {
		t.Errorf("its directory is %+v", got)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	s := newStore(t)
	for _, path := range []string{"", "/etc/passwd", "../x", "a/../../x", "..data", "..", ".", "a//b", "a/", "./a"} {
		if err := s.Write("config", []File{{Path: path}}, Owner{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("file %q: %v", path, err)
		}
	}
	for _, volume := range []string{"", "a/b", "..", ".hidden"} {
		if err := s.Write(volume, nil, Owner{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("volume %q: %v", volume, err)
		}
	}
}
