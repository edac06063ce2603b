package process

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
)

// Stats are the consumption of the container and its VM, in bytes where nothing else is said.
type Stats struct {
	Time                                time.Time
	CPUNanoseconds                      uint64
	MemoryWorkingSet, MemoryUsage       uint64
	ScratchUsed, ScratchCapacity        uint64
	Processes                           uint32
	NetworkReceived, NetworkTransmitted uint64
}

// Stats measures the container's cgroup, the scratch disk and the network. What the kernel does not count is 0.
func (c *Container) Stats() Stats {
	usage := numberIn(boot.ContainerCgroup + "/memory.current")
	inactive := statOf(boot.ContainerCgroup+"/memory.stat", "inactive_file")
	stats := Stats{
		Time:             time.Now(),
		CPUNanoseconds:   statOf(boot.ContainerCgroup+"/cpu.stat", "usage_usec") * 1000,
		MemoryUsage:      usage,
		MemoryWorkingSet: usage - min(usage, inactive),
		Processes:        uint32(numberIn(boot.ContainerCgroup + "/pids.current")),
	}
	var scratch unix.Statfs_t
	if unix.Statfs(boot.ScratchDirectory, &scratch) == nil {
		stats.ScratchCapacity = scratch.Blocks * uint64(scratch.Bsize)
		stats.ScratchUsed = (scratch.Blocks - scratch.Bfree) * uint64(scratch.Bsize)
	}
	stats.NetworkReceived, stats.NetworkTransmitted = networkTotals()
	return stats
}

func numberIn(file string) uint64 {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	return parseNumber(string(content))
}

func parseNumber(text string) uint64 {
	number, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

func networkTotals() (received, sent uint64) {
	entries, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return 0, 0
	}
	for _, entry := range entries {
		if entry.Name() == "lo" {
			continue
		}
		directory := "/sys/class/net/" + entry.Name() + "/statistics/"
		received += numberIn(directory + "rx_bytes")
		sent += numberIn(directory + "tx_bytes")
	}
	return received, sent
}
