package vijson

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

func TestReadsWhatItWrote(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC)
	spec := types.VirtualMachineConfigSpec{
		Name: `a "name"`, MemoryMB: 64, CreateDate: &at, NestedHVEnabled: types.NewBool(false),
		ExtraConfig: []types.BaseOptionValue{
			&types.OptionValue{Key: "text", Value: "b"}, &types.OptionValue{Key: "number", Value: int32(7)},
			&types.OptionValue{Key: "list", Value: types.ArrayOfString{String: []string{"x"}}},
			&types.OptionValue{Key: "state", Value: types.VirtualMachinePowerStatePoweredOn},
			&types.OptionValue{Key: "object", Value: types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}},
		},
		DeviceChange: []types.BaseVirtualDeviceConfigSpec{&types.VirtualDeviceConfigSpec{
			Operation: types.VirtualDeviceConfigSpecOperationAdd,
			Device:    &types.VirtualVmxnet3{VirtualVmxnet: types.VirtualVmxnet{VirtualEthernetCard: types.VirtualEthernetCard{MacAddress: "m"}}},
		}},
	}
	text, err := Encode(types.ReconfigVMRequestType{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"_typeName":"string","_value":"b"}`, `{"_typeName":"int","_value":7}`, `{"_typeName":"ArrayOfString","_value":["x"]}`,
		`{"_typeName":"VirtualMachinePowerState","_value":"poweredOn"}`, `{"_typeName":"ManagedObjectReference","type":"VirtualMachine","value":"vm-1"}`,
		`"2026-01-02T03:04:05.000678Z"`, `"nestedHVEnabled":false`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	var back types.ReconfigVM_Task
	if err := DecodeParameters(text, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Spec, spec) {
		t.Errorf("read back as %+v", back.Spec)
	}
}

func TestNamesWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:       "must be a JSON object",
		`{"spec":`: "not JSON",
		`{}{}`:     "something after",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","createDate":"yesterday"}}`:                                                                          "spec.createDate",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","createDate":"2026-01-02T03:04:05.123456789Z"}}`:                                                     "microseconds",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","memoryMB":1.5}}`:                                                                                    "is no long",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","numCPUs":3000000000}}`:                                                                              "is no int",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","extraConfig":[{"_typeName":"OptionValue","key":"a","value":{"_typeName":"String","_value":"b"}}]}}`: `unknown type "String"`,
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","extraConfig":[{"_typeName":"OptionValue","key":"a"}]}}`:                                             `spec.extraConfig[0]: OptionValue needs its property "value"`,
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","extraConfig":[{"_typeName":"VirtualDisk"}]}}`:                                                       "is not a OptionValue",
		`{"spec":{"_typeName":"VirtualMachineConfigSpec","deviceChange":[{"_typeName":"VirtualDeviceConfigSpec","operation":"Add"}]}}`:                        "no value of the enum",
	} {
		err := DecodeParameters([]byte(text), &types.ReconfigVM_Task{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", text, err, want)
		}
	}
}

func TestFaultsCarryTheirMessage(t *testing.T) {
	text, err := EncodeFault(&types.InvalidName{Name: "n"}, `it "is" wrong`)
	if err != nil || string(text) != `{"_typeName":"InvalidName","name":"n","faultstring":"it \"is\" wrong"}` {
		t.Errorf("%s, %v", text, err)
	}
}
