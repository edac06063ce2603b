package seccomp

import "testing"

func BenchmarkDefault(b *testing.B) {
	for b.Loop() {
		if _, err := Default([]uint{0, 1, 10}); err != nil {
			b.Fatal(err)
		}
	}
}
