module dev.berth/e2e/registry

go 1.26.0

require (
	dev.berth/e2e/control-plane v0.0.0
	golang.org/x/crypto v0.47.0
)

replace dev.berth/e2e/control-plane => ../control-plane
