#include "textflag.h"

// func timestampCounter() uint64
TEXT ·timestampCounter(SB), NOSPLIT, $0-8
	RDTSC
	SHLQ $32, DX
	ORQ  DX, AX
	MOVQ AX, ret+0(FP)
	RET
