package machines

import (
	"encoding/binary"
	"fmt"
	"os"
)

const (
	clusterBits = 16
	clusterSize = 1 << clusterBits
)

// writeOverlay makes an empty qcow2 file of a size in bytes: a disk whose writes are dropped reads through it and writes into it. What is
// below it is named on QEMU's command line and not in the file. An existing file is replaced.
func writeOverlay(path string, size int64) error {
	entries := (size + clusterSize*clusterSize/8 - 1) / (clusterSize * clusterSize / 8)
	tableClusters := (entries*8 + clusterSize - 1) / clusterSize
	// Clusters: the header, the table of reference counts, one block of them, the first-level table.
	used := 3 + tableClusters
	if used > clusterSize/2 {
		return fmt.Errorf("a disk of %d bytes is too large for the lab", size)
	}
	content := make([]byte, 3*clusterSize)
	header := content[:0]
	header = append(header, "QFI\xfb"...)
	header = binary.BigEndian.AppendUint32(header, 2)                       // version
	header = binary.BigEndian.AppendUint64(header, 0)                       // backing file's name: where
	header = binary.BigEndian.AppendUint32(header, 0)                       // and how long
	header = binary.BigEndian.AppendUint32(header, clusterBits)             //
	header = binary.BigEndian.AppendUint64(header, uint64(size))            //
	header = binary.BigEndian.AppendUint32(header, 0)                       // encryption
	header = binary.BigEndian.AppendUint32(header, uint32(max(entries, 1))) // first-level table: entries
	header = binary.BigEndian.AppendUint64(header, 3*clusterSize)           // and where
	header = binary.BigEndian.AppendUint64(header, clusterSize)             // table of reference counts: where
	header = binary.BigEndian.AppendUint32(header, 1)                       // and its clusters
	_ = binary.BigEndian.AppendUint32(header, 0)                            // snapshots
	binary.BigEndian.PutUint64(content[clusterSize:], 2*clusterSize)
	for cluster := range used {
		binary.BigEndian.PutUint16(content[2*clusterSize+2*cluster:], 1)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	return os.Truncate(path, used*clusterSize)
}
