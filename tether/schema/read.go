package schema

// ReadInitial reads an InitialProcess. What the contract has no field for is passed over, as everywhere in protobuf.
func ReadInitial(message []byte) (*Initial, error) {
	initial := &Initial{Start: &Start{}}
	return initial, fields(message, func(r *reader, f field) {
		switch f.number {
		case 1:
			v := &Volume{}
			r.message(f, v.field)
			initial.Volumes = append(initial.Volumes, v)
		case 2:
			r.message(f, initial.Start.field)
		}
	})
}

// ReadStart reads a StartRequest.
func ReadStart(message []byte) (*Start, error) {
	start := &Start{}
	return start, fields(message, start.field)
}

func (s *Start) field(r *reader, f field) {
	switch f.number {
	case 1:
		s.Attempt = uint32(r.number(f))
	case 2:
		if s.Process == nil {
			s.Process = &Process{}
		}
		r.message(f, s.Process.field)
	case 3:
		s.Clock = r.timestamp(f)
	}
}

func (v *Volume) field(r *reader, f field) {
	switch f.number {
	case 1:
		v.Name = r.text(f)
	case 2:
		file := File{}
		r.message(f, file.field)
		v.Files = append(v.Files, file)
	case 3:
		v.Group = r.optional(f)
	case 4:
		v.User = r.optional(f)
	}
}

func (file *File) field(r *reader, f field) {
	switch f.number {
	case 1:
		file.Path = r.text(f)
	case 2:
		r.expect(f, length)
		file.Content = f.bytes
	case 3:
		file.Mode = uint32(r.number(f))
	}
}

func (p *Process) field(r *reader, f field) {
	add := func(to *[]string) { *to = append(*to, r.text(f)) }
	switch f.number {
	case 1:
		add(&p.Arguments)
	case 2:
		add(&p.Environment)
	case 3:
		p.WorkingDirectory = r.text(f)
	case 4:
		p.User = r.text(f)
	case 5:
		r.numbers(&p.SupplementaryGroups, f)
	case 6:
		p.FilesystemGroup = r.optional(f)
	case 7:
		add(&p.Capabilities)
	case 8:
		p.NoNewPrivileges = r.truth(f)
	case 9:
		p.Unconfined = r.number(f) == 1
	case 10:
		add(&p.MaskedPaths)
	case 11:
		add(&p.ReadOnlyPaths)
	case 12:
		p.ReadOnlyRoot = r.truth(f)
	case 13:
		p.Privileged = r.truth(f)
	case 14:
		p.Terminal = r.truth(f)
	default:
		p.laterField(r, f)
	}
}

func (p *Process) laterField(r *reader, f field) {
	switch f.number {
	case 15:
		p.Stdin = r.truth(f)
	case 16:
		p.StdinOnce = r.truth(f)
	case 17:
		limit := ResourceLimit{}
		r.message(f, limit.field)
		p.Limits = append(p.Limits, limit)
	case 18:
		mount := Mount{}
		r.message(f, mount.field)
		p.Mounts = append(p.Mounts, mount)
	case 19:
		r.message(f, p.NameResolution.field)
	case 20:
		alias := HostAlias{}
		r.message(f, alias.field)
		p.HostAliases = append(p.HostAliases, alias)
	case 21:
		p.addSysctl(r, f)
	case 22:
		p.StopSignal = r.text(f)
	case 23:
		p.TerminationMessagePath = r.text(f)
	case 24:
		p.FallbackToLogs = r.number(f) == 1
	case 25:
		p.SharedMemorySize = r.number(f)
	case 26:
		p.Hostname = r.text(f)
	case 27:
		p.DomainName = r.text(f)
	}
}

func (p *Process) addSysctl(r *reader, f field) {
	var name, value string
	r.message(f, func(r *reader, f field) {
		switch f.number {
		case 1:
			name = r.text(f)
		case 2:
			value = r.text(f)
		}
	})
	if p.Sysctls == nil {
		p.Sysctls = map[string]string{}
	}
	p.Sysctls[name] = value
}

func (m *Mount) field(r *reader, f field) {
	source := func(kind SourceKind) { m.Kind, m.Source, m.SizeLimit = kind, r.text(f), 0 }
	switch f.number {
	case 1:
		m.Destination = r.text(f)
	case 2:
		source(ScratchDirectory)
	case 3:
		source(Files)
	case 4:
		if m.Kind != Memory {
			m.Kind, m.Source, m.SizeLimit = Memory, "", 0
		}
		r.message(f, m.memoryField)
	case 5:
		source(Disk)
	case 6:
		m.ReadOnly = r.truth(f)
	case 7:
		m.SubPath = r.text(f)
	}
}

func (m *Mount) memoryField(r *reader, f field) {
	switch f.number {
	case 1:
		m.Source = r.text(f)
	case 2:
		m.SizeLimit = r.number(f)
	}
}

func (l *ResourceLimit) field(r *reader, f field) {
	switch f.number {
	case 1:
		l.Name = r.text(f)
	case 2:
		l.Soft = r.number(f)
	case 3:
		l.Hard = r.number(f)
	}
}

func (n *NameResolution) field(r *reader, f field) {
	switch f.number {
	case 1:
		n.Servers = append(n.Servers, r.text(f))
	case 2:
		n.Searches = append(n.Searches, r.text(f))
	case 3:
		n.Options = append(n.Options, r.text(f))
	}
}

func (a *HostAlias) field(r *reader, f field) {
	switch f.number {
	case 1:
		a.Address = r.text(f)
	case 2:
		a.Names = append(a.Names, r.text(f))
	}
}
