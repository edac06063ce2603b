module berth.dev/iso-builder/testinit

go 1.26
