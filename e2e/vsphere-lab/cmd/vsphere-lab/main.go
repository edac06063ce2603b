// Command vsphere-lab runs a vCenter for tests. It writes lab.json into its directory once it can be used, and stops on
// SIGTERM or SIGINT.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"dev.berth/e2e/vsphere-lab/behavior"
	"dev.berth/e2e/vsphere-lab/hypervisor"
	"dev.berth/e2e/vsphere-lab/inventory"
	"dev.berth/e2e/vsphere-lab/lab"
)

// longestInterface is how long the name of an interface may be for Linux.
const longestInterface = 15

type settings struct {
	listen, directory, user, passwordFile, releases string
	shape                                           inventory.Shape
	behavior                                        behavior.Options
	boot, play                                      bool
	addresses                                       map[string]netip.Prefix
	interfaces                                      map[string]string
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "vsphere-lab:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("vsphere-lab", flag.ContinueOnError)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:0", "`address` and port to serve HTTPS on; port 0 chooses a free one")
	flags.StringVar(&s.directory, "directory", "", "`folder` of all state (required)")
	flags.StringVar(&s.user, "user", "administrator@vsphere.local", "administrator's `name`")
	flags.StringVar(&s.passwordFile, "password-file", "", "`file` with the administrator's password; without it one is made in the directory")
	flags.StringVar(&s.releases, "releases", "8.0.1.0,8.0.2.0,8.0.3.0", "API `releases` that the server knows, oldest first")
	flags.IntVar(&s.shape.Datacenters, "datacenters", 1, "`number` of datacenters")
	flags.IntVar(&s.shape.Clusters, "clusters", 1, "`number` of clusters in each datacenter")
	flags.IntVar(&s.shape.Hosts, "hosts", 3, "`number` of hosts in each cluster")
	flags.IntVar(&s.shape.Datastores, "datastores", 1, "`number` of datastores, each on every host")
	flags.IntVar(&s.shape.PortGroups, "port-groups", 2, "`number` of distributed port groups")
	flags.IntVar(&s.shape.HostCores, "host-cores", 16, "`number` of cores of every host")
	flags.IntVar(&s.shape.HostMHz, "host-mhz", 2600, "`MHz` of every core")
	flags.IntVar(&s.shape.HostMemory, "host-memory", 65536, "`MiB` of memory of every host")
	flags.BoolVar(&s.behavior.SerialLicence, "serial-licence", true, "have the licence for serial ports over the network")
	flags.BoolVar(&s.shape.SerialFirewall, "serial-firewall", true, "have hosts whose firewalls let serial ports dial out")
	flags.BoolVar(&s.boot, "boot", false, "boot VMs that are powered on in QEMU; needs root")
	flags.BoolVar(&s.play, "play-guests", false, "plays the guests of VMs, which do not boot: they tell what a tether tells and start nothing")
	flags.Func("address", "with --boot, `PORT GROUP=ADDRESS/BITS`: puts this machine on a port group; may be repeated", s.addAddress)
	flags.Func("interface", "with --boot, `PORT GROUP=NAME`: puts this machine alone on a port group, with an interface of that name; may be repeated", s.addInterface)
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	if len(s.addresses)+len(s.interfaces) > 0 && !s.boot {
		return s, errors.New("--address and --interface need --boot: without it there are no networks")
	}
	if s.boot && s.play {
		return s, errors.New("--play-guests is for VMs that do not --boot")
	}
	if s.directory == "" {
		return s, errors.New("--directory is missing")
	}
	var err error
	s.directory, err = filepath.Abs(s.directory)
	return s, err
}

func (s *settings) addAddress(text string) error {
	group, address, ok := strings.Cut(text, "=")
	prefix, err := netip.ParsePrefix(address)
	if !ok || group == "" || err != nil {
		return fmt.Errorf("%q is not PORT GROUP=ADDRESS/BITS", text)
	}
	if s.addresses == nil {
		s.addresses = map[string]netip.Prefix{}
	}
	s.addresses[group] = prefix
	return nil
}

func (s *settings) addInterface(text string) error {
	group, name, ok := strings.Cut(text, "=")
	if !ok || group == "" || name == "" || len(name) > longestInterface {
		return fmt.Errorf("%q is not PORT GROUP=NAME, with a name of %d characters at most", text, longestInterface)
	}
	if s.interfaces == nil {
		s.interfaces = map[string]string{}
	}
	s.interfaces[group] = name
	return nil
}

func run(arguments []string) error {
	started := time.Now()
	s, err := parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	log.SetOutput(io.Discard) // the simulator's remarks on what clients ask for
	if err := os.MkdirAll(s.directory, 0o700); err != nil {
		return err
	}
	password, err := s.password()
	if err != nil {
		return err
	}
	options := lab.Options{
		Directory: s.directory, Shape: s.shape, User: s.user, Password: password, Releases: strings.Split(s.releases, ","),
		Behavior: s.behavior, Play: s.play,
	}
	if s.boot {
		options.Boot = &hypervisor.Options{Folder: filepath.Join(s.directory, "machines"), Addresses: s.addresses, Interfaces: s.interfaces}
	}
	vcenter, err := lab.New(options)
	if err != nil {
		return err
	}
	return errors.Join(s.serve(ctx, vcenter, started), vcenter.Close())
}
