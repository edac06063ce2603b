// Package vmtest boots the tether in a virtual machine; its tests have the build tag vm and are run by tether/test-vm.
package vmtest
