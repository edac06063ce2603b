module dev.berth/iso-builder/testinit

go 1.26
