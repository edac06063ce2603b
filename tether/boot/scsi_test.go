package boot

import "testing"

func TestSerialNumbersAreTheSameHoweverTheyAreWritten(t *testing.T) {
	const uuid = "6000C290-0000-0000-0000-00000000000a"
	for page, want := range map[string]bool{
		"6000c29000000000000000000000000a":                true,
		"  6000c29000000000000000000000000a \x00":         true,
		"6000C290-0000-0000-0000-00000000000A":            true,
		"60 00 c2 90 00 00 00 00-00 00 00 00 00 00 00 0a": true,
		"6000c29000000000000000000000000b":                false,
		"6000c29000000000000000000000000a0":               false,
		"":                                                false,
	} {
		if sameSerial(page, uuid) != want {
			t.Errorf("%q: %v", page, !want)
		}
	}
}
