package boot

import "strings"

// scsiHeader precedes the text of a page of vital product data.
const scsiHeader = 4

// findSCSI gives the device node of the SCSI disk with a serial number, empty while there is none. With disk.EnableUUID, VMware's disks have
// their UUID as such, which is written with and without punctuation.
func findSCSI(serial string) (node string, err error) {
	err = each("/sys/block", "device/vpd_pg80", func(disk, page string) bool {
		if len(page) > scsiHeader && sameSerial(page[scsiHeader:], serial) {
			node = "/dev/" + disk
		}
		return node != ""
	})
	return node, err
}

func sameSerial(a, b string) bool {
	plain := strings.NewReplacer(" ", "", "-", "", "\x00", "")
	return strings.EqualFold(plain.Replace(a), plain.Replace(b))
}
