package logs

import "bytes"

const (
	tailBytes = 2048
	tailLines = 80
)

// tail keeps the end of the output.
type tail struct {
	kept []byte
}

func (t *tail) add(content []byte, full bool) {
	if len(content) >= tailBytes {
		content = content[len(content)-tailBytes:]
		t.kept = t.kept[:0]
	}
	if len(t.kept)+len(content) >= 4*tailBytes {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-tailBytes:]...)
	}
	t.kept = append(t.kept, content...)
	if full {
		t.kept = append(t.kept, '\n')
	}
}

func (t *tail) text() string {
	end := t.kept[max(0, len(t.kept)-tailBytes):]
	from := len(end)
	for lines := 0; lines <= tailLines && from >= 0; lines++ {
		if lines == tailLines {
			return string(end[from:])
		}
		search := end[:from]
		if lines == 0 {
			search = bytes.TrimSuffix(search, []byte{'\n'})
		} else {
			search = search[:len(search)-1]
		}
		at := bytes.LastIndexByte(search, '\n')
		if at < 0 {
			return string(end)
		}
		from = at + 1
	}
	return string(end)
}
