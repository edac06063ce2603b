package link

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// The same file is read by the control plane's tests.
func TestFramesAreTheGoldenOnes(t *testing.T) {
	content, err := os.ReadFile("testdata/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Nonce  string
		Frames []struct {
			Type byte
			Name string
			Hex  string
		}
		Name struct {
			ID  string
			Hex string
		}
		Position struct {
			Received uint64
			Hex      string
		}
	}
	if err := json.Unmarshal(content, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Frames) != int(Gone) {
		t.Fatalf("%d golden frames, want %d", len(golden.Frames), Gone)
	}
	name := NameOf(golden.Name.ID)
	if got := hex.EncodeToString(name[:]); got != golden.Name.Hex {
		t.Errorf("the name of %s is %s, want %s", golden.Name.ID, got, golden.Name.Hex)
	}
	var nonce Nonce
	if _, err := hex.Decode(nonce[:], []byte(golden.Nonce)); err != nil {
		t.Fatal(err)
	}
	position := Position(nonce, golden.Position.Received)
	if got := hex.EncodeToString(position[:]); got != golden.Position.Hex {
		t.Errorf("position %d is %s, want %s", golden.Position.Received, got, golden.Position.Hex)
	}
	for _, g := range golden.Frames {
		frame := Frame{Type: Type(g.Type), Nonce: nonce}
		bytes := frame.Bytes()
		if got := hex.EncodeToString(bytes[:]); got != g.Hex {
			t.Errorf("%s: %s, want %s", g.Name, got, g.Hex)
		}
		parsed, err := parseFrame(bytes[:])
		if err != nil || parsed != frame {
			t.Errorf("%s: parsed as %v, %v", g.Name, parsed, err)
		}
	}
}

func TestParseRefusesEveryChangedBit(t *testing.T) {
	good := Frame{Type: Hello, Nonce: Nonce{1, 2, 3}}.Bytes()
	for bit := range FrameSize * 8 {
		bad := good
		bad[bit/8] ^= 1 << (bit % 8)
		if frame, err := parseFrame(bad[:]); err == nil {
			t.Errorf("bit %d changed: parsed as %v", bit, frame)
		}
	}
}
