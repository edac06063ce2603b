package lab

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"berth.dev/tether/guestinfo"
	"berth.dev/tether/link"
	"dev.berth/e2e/vsphere-lab/behavior"
)

func TestAPlayedGuestTellsWhatATetherTellsAndDials(t *testing.T) {
	c := startWith(t, Options{Behavior: behavior.Options{SerialLicence: true}, Play: true})
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw}) // any that is one
	config, err := json.Marshal(object{
		"schema": 1, "id": "pod-1", "identity": object{"authority": string(authority)}, "disks": []object{{"serial": "1", "role": "image"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	vm := c.create("played", object{
		"extraConfig": options(guestinfo.ConfigKey+"="+string(config), stateKey+"=-"),
		"deviceChange": []object{{"_typeName": "VirtualDeviceConfigSpec", "operation": "add", "device": object{
			"_typeName": "VirtualSerialPort", "key": -1, "controllerKey": 400, "unitNumber": 1, "yieldOnPoll": true, "backing": object{
				"_typeName": "VirtualSerialPortURIBackingInfo", "serviceURI": "tcp://" + far.Addr().String(), "direction": "client"}}}},
	})
	c.done(vm, "PowerOnVM_Task", nil)
	c.until("the guest is ready", func() bool {
		return strings.Contains(c.info(vm, stateKey), `"phase":"READY"`) && len(c.info(vm, guestinfo.CertificateKey)) == 64
	})

	line, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	who, name := link.Frame{Type: link.Who}.Bytes(), link.Frame{Type: link.Name, Nonce: link.NameOf("pod-1")}.Bytes()
	if _, err := line.Write(who[:]); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, link.FrameSize)
	if err := line.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(line, answer); err != nil || !bytes.Equal(answer, name[:]) {
		t.Errorf("it answers %q, %v", answer, err)
	}

	c.done(vm, "PowerOffVM_Task", nil)
	if _, err := line.Read(answer); err == nil {
		t.Error("the line of a VM that is off stands")
	}
}
