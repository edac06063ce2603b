module dev.berth/e2e/vsphere-lab

go 1.26.8

require (
	berth.dev/tether v0.0.0
	dev.berth/e2e/control-plane v0.0.0
	github.com/google/uuid v1.6.0
	github.com/vmware/govmomi v0.55.1
	golang.org/x/sys v0.48.0
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/a8m/tree v0.0.0-20240104212747-2c8764a5f17e // indirect
	github.com/dougm/pretty v0.0.0-20160325215624-add1dbc86daf // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/rogpeppe/go-internal v1.16.0 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

replace dev.berth/e2e/control-plane => ../control-plane

replace berth.dev/tether => ../../tether
