package process

import (
	"fmt"
	"slices"
	"strings"
)

// capabilityNames are in the order of their numbers.
var capabilityNames = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// capabilities gives the numbers of capability names, with or without CAP_; "ALL" is every one.
func capabilities(names []string) ([]uint, error) {
	var numbers []uint
	for _, name := range names {
		plain := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		if plain == "ALL" {
			numbers = numbers[:0]
			for number := range capabilityNames {
				numbers = append(numbers, uint(number))
			}
			return numbers, nil
		}
		number := slices.Index(capabilityNames, plain)
		if number < 0 {
			return nil, fmt.Errorf("capabilities: %q is not a capability", name)
		}
		numbers = append(numbers, uint(number))
	}
	return numbers, nil
}
