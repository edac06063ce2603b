package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/pflag"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	server "k8s.io/kubernetes/cmd/kube-apiserver/app"
	serveroptions "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	manageroptions "k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	scheduleroptions "k8s.io/kubernetes/cmd/kube-scheduler/app/options"
)

// components are Kubernetes' programs with their flags parsed. Their cobra commands cannot share a process: signal
// handlers and logging may be set up once only.
type components struct {
	server    *serveroptions.ServerRunOptions
	manager   *manageroptions.KubeControllerManagerOptions
	scheduler *scheduleroptions.Options
}

func newComponents(settings settings) (components, error) {
	// What the cluster's own programs are warned of, an operator cannot act on.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	managerOptions, err := manageroptions.NewKubeControllerManagerOptions()
	if err != nil {
		return components{}, err
	}
	made := components{serveroptions.NewServerRunOptions(), managerOptions, scheduleroptions.NewOptions()}
	made.server.KubeletConfig.Port = uint(settings.kubeletPort)
	if err := os.MkdirAll("volume-plugins", 0o700); err != nil {
		return components{}, err
	}
	return made, errors.Join(
		parse("kube-apiserver", made.server.Flags(), serverArguments(settings)),
		parse("kube-controller-manager", made.manager.Flags(manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases()), managerArguments),
		parse("kube-scheduler", *made.scheduler.Flags, schedulerArguments),
		// One registry of versions and feature gates serves all three; it may be set only once.
		compatibility.DefaultComponentGlobalsRegistry.Set())
}

func parse(name string, sets cliflag.NamedFlagSets, arguments []string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	for _, set := range sets.FlagSets {
		flags.AddFlagSet(set)
	}
	if err := flags.Parse(arguments); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func serverArguments(settings settings) []string {
	// The endpoints of the kubernetes service, which clients in the cluster use, cannot hold a loopback address.
	reconciler := "lease"
	if settings.address.IsLoopback() {
		reconciler = "none"
	}
	return []string{
		"--etcd-servers=" + etcdEndpoint,
		"--bind-address=" + settings.address.String(),
		"--advertise-address=" + settings.address.String(),
		"--endpoint-reconciler-type=" + reconciler,
		"--secure-port=" + strconv.Itoa(settings.port),
		"--service-cluster-ip-range=" + settings.serviceCIDR.Masked().String(),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--enable-bootstrap-token-auth",
		"--allow-privileged",
		"--profiling=false",
		"--client-ca-file=pki/ca.crt",
		"--tls-cert-file=pki/kube-apiserver.crt",
		"--tls-private-key-file=pki/kube-apiserver.key",
		"--kubelet-certificate-authority=pki/ca.crt",
		"--kubelet-client-certificate=pki/kubelet-client.crt",
		"--kubelet-client-key=pki/kubelet-client.key",
		"--kubelet-preferred-address-types=InternalIP,Hostname",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=pki/service-account.pub",
		"--service-account-signing-key-file=pki/service-account.key",
		"--requestheader-client-ca-file=pki/front-proxy-ca.crt",
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=pki/front-proxy-client.crt",
		"--proxy-client-key-file=pki/front-proxy-client.key",
	}
}

var managerArguments = []string{
	"--kubeconfig=" + managerKubeconfig,
	"--secure-port=0",
	"--leader-elect=false",
	"--controllers=*,bootstrapsigner,tokencleaner",
	"--use-service-account-credentials",
	"--service-account-private-key-file=pki/service-account.key",
	"--root-ca-file=pki/ca.crt",
	"--cluster-signing-cert-file=pki/ca.crt",
	"--cluster-signing-key-file=pki/ca.key",
	// With the default of 20 it takes 6 s until the default ServiceAccount exists.
	"--kube-api-qps=500",
	"--kube-api-burst=1000",
	// The default is a folder under /usr, which would be made.
	"--flex-volume-plugin-dir=volume-plugins",
}

var schedulerArguments = []string{
	"--kubeconfig=" + schedulerKubeconfig,
	"--secure-port=0",
	"--leader-elect=false",
}

func (c components) runServer(ctx context.Context) error {
	completed, err := c.server.Complete(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(completed.Validate()...); err != nil {
		return err
	}
	return server.Run(ctx, completed)
}

func (c components) runControllerManager(ctx context.Context) error {
	configuration, err := c.manager.Config(ctx, manager.KnownControllers(), manager.ControllersDisabledByDefault(), manager.ControllerAliases())
	if err != nil {
		return err
	}
	return manager.Run(ctx, configuration.Complete())
}

func (c components) runScheduler(ctx context.Context) error {
	configuration, made, err := scheduler.Setup(ctx, c.scheduler)
	if err != nil {
		return err
	}
	return scheduler.Run(ctx, configuration, made)
}
