// Package user finds a container's user in the image's own /etc/passwd and /etc/group.
package user

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Identity is what a process runs as.
type Identity struct {
	Uid, Gid uint32
	// Groups are the supplementary groups of /etc/group; only a named or listed user has any.
	Groups []uint32
	Home   string
}

type entry struct {
	name    string
	id      uint32
	group   uint32
	home    string
	members []string
}

// Lookup reads "", "name", "name:group", "1000" or "1000:1000" with the files of the given root. A number needs no entry; a name does.
func Lookup(spec string, root fs.FS) (Identity, error) {
	userPart, groupPart, hasGroup := strings.Cut(spec, ":")
	if userPart == "" {
		userPart = "0"
	}
	found, err := lookupUser(userPart, root)
	if err != nil {
		return Identity{}, err
	}
	identity := Identity{Uid: found.id, Gid: found.group, Home: found.home}
	if identity.Home == "" {
		identity.Home = "/"
	}
	groups, err := read(root, "etc/group", parseGroup)
	if err != nil {
		return Identity{}, err
	}
	if hasGroup && groupPart != "" {
		identity.Gid, err = lookupGroup(groupPart, groups)
		return identity, err
	}
	for _, group := range groups {
		if found.name != "" && slices.Contains(group.members, found.name) {
			identity.Groups = append(identity.Groups, group.id)
		}
	}
	return identity, nil
}

// lookupUser prefers an entry of that name over a number, as container runtimes do.
func lookupUser(name string, root fs.FS) (entry, error) {
	users, err := read(root, "etc/passwd", parseUser)
	if err != nil {
		return entry{}, err
	}
	if i := slices.IndexFunc(users, func(e entry) bool { return e.name == name }); i >= 0 {
		return users[i], nil
	}
	id, err := number(name)
	if err != nil {
		return entry{}, fmt.Errorf("unable to find user %s: no matching entries in passwd file", name)
	}
	if i := slices.IndexFunc(users, func(e entry) bool { return e.id == id }); i >= 0 {
		return users[i], nil
	}
	return entry{id: id}, nil
}

func lookupGroup(name string, groups []entry) (uint32, error) {
	if i := slices.IndexFunc(groups, func(e entry) bool { return e.name == name }); i >= 0 {
		return groups[i].id, nil
	}
	id, err := number(name)
	if err != nil {
		return 0, fmt.Errorf("unable to find group %s: no matching entries in group file", name)
	}
	return id, nil
}

func number(s string) (uint32, error) {
	id, err := strconv.ParseUint(s, 10, 32)
	if err != nil || id > math.MaxInt32 {
		return 0, errors.New("not an id")
	}
	return uint32(id), nil
}

// read gives the entries of a file that parse accepts. A missing file has none; a broken line is passed over, as libc does.
func read(root fs.FS, name string, parse func([]string) (entry, bool)) ([]entry, error) {
	file, err := root.Open(name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("read /%s: %w", name, err)
	}
	defer file.Close()
	var entries []entry
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if e, ok := parse(strings.Split(strings.TrimSpace(lines.Text()), ":")); ok {
			entries = append(entries, e)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read /%s: %w", name, err)
	}
	return entries, nil
}

func parseUser(fields []string) (entry, bool) {
	if len(fields) < 4 || fields[0] == "" {
		return entry{}, false
	}
	id, err := number(fields[2])
	group, groupErr := number(fields[3])
	if err != nil || groupErr != nil {
		return entry{}, false
	}
	e := entry{name: fields[0], id: id, group: group}
	if len(fields) > 5 {
		e.home = fields[5]
	}
	return e, true
}

func parseGroup(fields []string) (entry, bool) {
	if len(fields) < 3 || fields[0] == "" {
		return entry{}, false
	}
	id, err := number(fields[2])
	if err != nil {
		return entry{}, false
	}
	e := entry{name: fields[0], id: id}
	if len(fields) > 3 && fields[3] != "" {
		e.members = strings.Split(fields[3], ",")
	}
	return e, true
}
