// Package machines runs the lab's powered-on virtual machines in QEMU, with devices derived from their virtual hardware.
//
// FromConfig turns a virtual machine's configuration into Hardware, Fleet does what a hypervisor does with it, and an observer is told of
// everything that happens in a machine or to it. The package knows nothing of the simulator: who calls it holds the inventory and
// publishes the events there.
//
// Every QEMU ends with the process that started it, however that ends: nothing is left behind but the files of the run folder. Networks
// need root; without them the NICs are there, with the cable out.
//
// # Guestinfo
//
// QEMU has no guestinfo RPC in its backdoor, so a guest of the lab has another door to the key/value pairs of its extraConfig whose keys
// begin with "guestinfo.":
//
//   - Values given: the firmware file FirmwareFile (in Linux /sys/firmware/qemu_fw_cfg/by_name/<FirmwareFile>/raw) holds one JSON object
//     of strings, {"guestinfo.a":"1"}. It is what extraConfig held at power-on; a reset does not renew it.
//   - Values told: the guest writes lines to the virtio-serial port named GuestPort, each {"key":"guestinfo.a","value":"1"} and a newline,
//     at most LineLimit bytes. Each line is one Event of kind GuestInfo, in order, and all are told before the machine's Exited. An empty value
//     clears the key. What is no such line is put into the machine's log and otherwise ignored, as is a key outside "guestinfo." or
//     one with a slash, which ESXi lets a guest only read.
//     The host writes nothing to the port.
//
// The pair stands for "info-get" and "info-set" on ESXi, so that a guest needs two carriers of one and the same thing. The key
// "guestinfo.ip" is the one from which vCenter takes a guest's address when it has no tools.
package machines
