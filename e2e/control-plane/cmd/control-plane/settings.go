package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"dev.berth/e2e/control-plane/pki"
)

// Paths in the directory.
const (
	adminKubeconfig     = "admin.kubeconfig"
	managerKubeconfig   = "controller-manager.kubeconfig"
	schedulerKubeconfig = "scheduler.kubeconfig"
)

// The user name by which kube-apiserver calls kubelets; a ClusterRoleBinding lets it in.
const kubeletClientName = "kube-apiserver-kubelet-client"

// settings is what the command line said.
type settings struct {
	directory   string
	address     netip.Addr
	port        int
	serviceCIDR netip.Prefix
	kubeletPort int
	nodes       []node
	noFsync     bool
}

type node struct {
	name    string
	address netip.Addr
}

func (s settings) endpoint() string {
	return net.JoinHostPort(s.address.String(), strconv.Itoa(s.port))
}

// serviceAddress is the cluster IP of the kubernetes service: the first of the range.
func (s settings) serviceAddress() netip.Addr {
	return s.serviceCIDR.Masked().Addr().Next()
}

func parseSettings(arguments []string) (settings, error) {
	var parsed settings
	flags := flag.NewFlagSet("control-plane", flag.ExitOnError)
	flags.StringVar(&parsed.directory, "directory", "", "`folder` of all state (required); it is made, and used again at the next start")
	flags.TextVar(&parsed.address, "address", netip.Addr{}, "`IP` address to listen on and to advertise (required)")
	flags.IntVar(&parsed.port, "port", 6443, "secure `port` of the API server")
	flags.TextVar(&parsed.serviceCIDR, "service-cidr", netip.MustParsePrefix("10.96.0.0/16"), "`range` of the cluster IPs of services; fixed at the first start")
	flags.IntVar(&parsed.kubeletPort, "kubelet-port", 10250, "`port` of a kubelet whose node does not name one")
	flags.Func("node", "`NAME=IP` of a kubelet, repeatable: writes its kubeconfig and serving certificate to nodes/NAME in the directory", parsed.addNode)
	flags.BoolVar(&parsed.noFsync, "unsafe-no-fsync", false, "let etcd skip fsync: faster, but a crash of the machine can lose the cluster")
	if err := flags.Parse(arguments); err != nil {
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q: every setting is a --flag", flags.Arg(0))
	}
	return parsed, parsed.validate()
}

var nodeName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

func (s *settings) addNode(value string) error {
	name, address, found := strings.Cut(value, "=")
	if !found || !nodeName.MatchString(name) {
		return errors.New("expected NAME=IP with a name of lower-case letters, digits, '-' and '.', such as vch-1=10.99.0.1")
	}
	parsed, err := netip.ParseAddr(address)
	if err != nil {
		return err
	}
	s.nodes = append(s.nodes, node{name, parsed})
	return nil
}

func (s *settings) validate() error {
	switch {
	case s.directory == "":
		return errors.New("--directory is missing: name the folder for the cluster's state")
	case !s.address.IsValid() || s.address.IsUnspecified():
		return errors.New("--address is missing: name one IP address of this machine, such as 10.99.0.1")
	case s.address.Is4() != s.serviceCIDR.Addr().Is4():
		return fmt.Errorf("--service-cidr %s and --address %s must be of one IP family", s.serviceCIDR, s.address)
	case !isPort(s.port):
		return fmt.Errorf("--port %d: expected 1 to 65535", s.port)
	case !isPort(s.kubeletPort):
		return fmt.Errorf("--kubelet-port %d: expected 1 to 65535", s.kubeletPort)
	}
	var err error
	s.directory, err = filepath.Abs(s.directory)
	return err
}

func isPort(number int) bool {
	return number > 0 && number < 1<<16
}

func (s settings) issueCertificates() error {
	cluster, err := pki.OpenAuthority("pki/ca", "berth-kubernetes")
	if err != nil {
		return err
	}
	frontProxy, err := pki.OpenAuthority("pki/front-proxy-ca", "berth-front-proxy")
	if err != nil {
		return err
	}
	errs := []error{
		pki.EnsureKeyPair("pki/service-account"),
		cluster.Issue("pki/kube-apiserver", s.serverRequest()),
		cluster.Issue("pki/kubelet-client", pki.Request{CommonName: kubeletClientName, Usage: x509.ExtKeyUsageClientAuth}),
		frontProxy.Issue("pki/front-proxy-client", pki.Request{CommonName: "front-proxy-client", Usage: x509.ExtKeyUsageClientAuth}),
		s.issueKubeconfig(cluster, adminKubeconfig, "pki/admin", "kubernetes-admin", "system:masters"),
		s.issueKubeconfig(cluster, managerKubeconfig, "pki/controller-manager", "system:kube-controller-manager"),
		s.issueKubeconfig(cluster, schedulerKubeconfig, "pki/scheduler", "system:kube-scheduler"),
	}
	for _, node := range s.nodes {
		directory := filepath.Join("nodes", node.name)
		errs = append(errs,
			pki.WriteFile(filepath.Join(directory, "ca.crt"), cluster.PEM()),
			cluster.Issue(filepath.Join(directory, "serving"), servingRequest(node)),
			s.issueKubeconfig(cluster, filepath.Join(directory, "kubeconfig"), filepath.Join(directory, "client"),
				"system:node:"+node.name, "system:nodes"))
	}
	return errors.Join(errs...)
}

func (s settings) issueKubeconfig(authority *pki.Authority, path, credentials, user string, groups ...string) error {
	return authority.IssueKubeconfig(path, credentials, "https://"+s.endpoint(), pki.Request{CommonName: user, Organizations: groups})
}

func (s settings) serverRequest() pki.Request {
	return pki.Request{
		CommonName: "kube-apiserver",
		DNSNames: []string{"kubernetes", "kubernetes.default", "kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local", "localhost"},
		Addresses: []net.IP{s.address.AsSlice(), net.IPv4(127, 0, 0, 1), s.serviceAddress().AsSlice()},
		Usage:     x509.ExtKeyUsageServerAuth,
	}
}

func servingRequest(node node) pki.Request {
	return pki.Request{
		CommonName:    "system:node:" + node.name,
		Organizations: []string{"system:nodes"},
		DNSNames:      []string{node.name},
		Addresses:     []net.IP{node.address.AsSlice()},
		Usage:         x509.ExtKeyUsageServerAuth,
	}
}
