module dev.berth/e2e/vsphere-lab

go 1.26.0

require (
	dev.berth/e2e/control-plane v0.0.0
	github.com/google/uuid v1.6.0
	github.com/vmware/govmomi v0.55.1
)

replace dev.berth/e2e/control-plane => ../control-plane
