package schema_test

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"berth.dev/tether/api"
	"berth.dev/tether/schema"
)

func read(t *testing.T, initial *api.InitialProcess) *schema.Initial {
	t.Helper()
	content, err := proto.Marshal(initial)
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.ReadInitial(content)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestInitialProcessIsRead(t *testing.T) {
	group, user := uint32(2000), uint32(0)
	clock := time.Date(2026, 11, 25, 9, 0, 0, 7, time.UTC)
	got := read(t, &api.InitialProcess{
		Volumes: []*api.WriteVolumeRequest{
			{Volume: "v", Files: []*api.File{{Path: "a/b", Content: []byte{0, 255}, Mode: 0o600}, {Path: "c"}}, Group: &group, User: &user},
			{Volume: "empty"},
		},
		Start: &api.StartRequest{Attempt: 3, Clock: timestamppb.New(clock), Process: &api.Process{
			Arguments: []string{"run", ""}, Environment: []string{"A=é"}, WorkingDirectory: "/w", User: "u:g", SupplementaryGroups: []uint32{1, 70000},
			FilesystemGroup: &group, Capabilities: []string{"CAP_CHOWN"}, NoNewPrivileges: true, Seccomp: api.SeccompProfile_UNCONFINED,
			MaskedPaths: []string{"/m"}, ReadOnlyPaths: []string{"/r"}, ReadOnlyRoot: true, Privileged: true, Terminal: true, Stdin: true, StdinOnce: true,
			Limits: []*api.ResourceLimit{{Name: "NOFILE", Soft: 1, Hard: 1 << 63}},
			Mounts: []*api.Mount{
				{Destination: "/a", Source: &api.Mount_ScratchDirectory{ScratchDirectory: "s"}, ReadOnly: true},
				{Destination: "/b", Source: &api.Mount_Files{Files: "v"}, SubPath: "p/q"},
				{Destination: "/c", Source: &api.Mount_Memory{Memory: &api.MemoryDirectory{Name: "m", SizeLimit: 5}}},
				{Destination: "/d", Source: &api.Mount_Disk{Disk: "volume-0"}},
				{Destination: "/e", Source: &api.Mount_Memory{Memory: &api.MemoryDirectory{}}},
				{Destination: "/f"},
			},
			NameResolution: &api.NameResolution{Servers: []string{"10.0.0.10"}, Searches: []string{"x", "y"}, Options: []string{"ndots:5"}},
			HostAliases:    []*api.HostAlias{{Address: "10.0.0.1", Names: []string{"n", "o"}}}, Sysctls: map[string]string{"a.b": "1"},
			StopSignal: "TERM", TerminationMessagePath: "/t", TerminationMessagePolicy: api.TerminationMessagePolicy_FALLBACK_TO_LOGS_ON_ERROR,
			SharedMemorySize: 1 << 40, Hostname: "h", DomainName: "d",
		}},
	})
	want := &schema.Initial{
		Volumes: []*schema.Volume{
			{Name: "v", Files: []schema.File{{Path: "a/b", Content: []byte{0, 255}, Mode: 0o600}, {Path: "c"}}, Group: &group, User: &user},
			{Name: "empty"},
		},
		Start: &schema.Start{Attempt: 3, Clock: clock, Process: &schema.Process{
			Arguments: []string{"run", ""}, Environment: []string{"A=é"}, WorkingDirectory: "/w", User: "u:g", SupplementaryGroups: []uint32{1, 70000},
			FilesystemGroup: &group, Capabilities: []string{"CAP_CHOWN"}, NoNewPrivileges: true, Unconfined: true,
			MaskedPaths: []string{"/m"}, ReadOnlyPaths: []string{"/r"}, ReadOnlyRoot: true, Privileged: true, Terminal: true, Stdin: true, StdinOnce: true,
			Limits: []schema.ResourceLimit{{Name: "NOFILE", Soft: 1, Hard: 1 << 63}},
			Mounts: []schema.Mount{
				{Destination: "/a", Kind: schema.ScratchDirectory, Source: "s", ReadOnly: true},
				{Destination: "/b", Kind: schema.Files, Source: "v", SubPath: "p/q"},
				{Destination: "/c", Kind: schema.Memory, Source: "m", SizeLimit: 5},
				{Destination: "/d", Kind: schema.Disk, Source: "volume-0"},
				{Destination: "/e", Kind: schema.Memory},
				{Destination: "/f"},
			},
			NameResolution: schema.NameResolution{Servers: []string{"10.0.0.10"}, Searches: []string{"x", "y"}, Options: []string{"ndots:5"}},
			HostAliases:    []schema.HostAlias{{Address: "10.0.0.1", Names: []string{"n", "o"}}}, Sysctls: map[string]string{"a.b": "1"},
			StopSignal: "TERM", TerminationMessagePath: "/t", FallbackToLogs: true, SharedMemorySize: 1 << 40, Hostname: "h", DomainName: "d",
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\n%+v\nwant\n%+v\n%+v", got.Start.Process, got.Volumes[0], want.Start.Process, want.Volumes[0])
	}
}

// TestEveryFieldOfTheContractIsRead sets each field of the contract alone, however deep, and sees that it makes a difference.
func TestEveryFieldOfTheContractIsRead(t *testing.T) {
	fields := 0
	var try func(root proto.Message, message protoreflect.Message, path string)
	try = func(root proto.Message, message protoreflect.Message, path string) {
		all := message.Descriptor().Fields()
		for i := range all.Len() {
			field := all.Get(i)
			without := read(t, root.(*api.InitialProcess))
			inner, restore := set(message, field)
			fields++
			ours := inner != nil && inner.Descriptor().ParentFile().Package() == "berth.tether.v1"
			// A message of its own is read when the fields in it are.
			if (!ours || field.IsList()) && reflect.DeepEqual(read(t, root.(*api.InitialProcess)), without) {
				t.Errorf("%s.%s is not read", path, field.Name())
			}
			if ours {
				try(root, inner, path+"."+string(field.Name()))
			}
			restore()
		}
	}
	root := &api.InitialProcess{}
	try(root, root.ProtoReflect(), "InitialProcess")
	if fields < 50 {
		t.Errorf("only %d fields were tried", fields)
	}
}

// set gives a field a value that is not the default, and the message in it if there is one.
func set(message protoreflect.Message, field protoreflect.FieldDescriptor) (inner protoreflect.Message, restore func()) {
	restore = func() { message.Clear(field) }
	switch {
	case field.IsMap():
		message.Mutable(field).Map().Set(protoreflect.ValueOfString("k").MapKey(), protoreflect.ValueOfString("v"))
	case field.IsList() && field.Message() != nil:
		return message.Mutable(field).List().AppendMutable().Message(), restore
	case field.IsList():
		message.Mutable(field).List().Append(scalar(field))
	case field.Message() != nil:
		inner = message.Mutable(field).Message()
		if moment, ok := inner.Interface().(*timestamppb.Timestamp); ok {
			moment.Seconds = 1
		}
		return inner, restore
	default:
		message.Set(field, scalar(field))
	}
	return nil, restore
}

func scalar(field protoreflect.FieldDescriptor) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString("x")
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("x"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(1)
	}
	panic("a kind of field that the contract did not have: " + field.Kind().String())
}

func TestWhatIsNotOfTheSchemaIsRefused(t *testing.T) {
	for name, content := range map[string][]byte{
		"cut length":        {0x0a, 5, 1},
		"cut varint":        {0x12, 1, 0x80},
		"no such wire type": {0x0f},
		"field 0":           {0x02, 0},
		"a number as text":  {0x0a, 2, 0x08, 1},
		"not UTF-8":         {0x0a, 3, 0x0a, 1, 0xff},
	} {
		if got, err := schema.ReadInitial(content); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
		if proto.Unmarshal(content, &api.InitialProcess{}) == nil && name != "a number as text" {
			t.Errorf("%s: protobuf itself takes it", name)
		}
	}
}

func TestUnknownFieldsArePassedOver(t *testing.T) {
	known, err := proto.Marshal(&api.StartRequest{Attempt: 4})
	if err != nil {
		t.Fatal(err)
	}
	unknown := []byte{0xa0, 0x06, 1, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xa2, 0x06, 1, 9, 0xa5, 0x06, 1, 2, 3, 4}
	got, err := schema.ReadStart(append(unknown, known...))
	if err != nil || got.Attempt != 4 {
		t.Errorf("%+v, %v", got, err)
	}
}
