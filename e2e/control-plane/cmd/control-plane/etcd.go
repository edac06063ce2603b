package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// etcd listens on a socket in a folder that only this user may enter, so it needs no certificates.
const (
	etcdEndpoint     = "unix://etcd/client.sock"
	etcdStartTimeout = time.Minute
)

func startEtcd(ctx context.Context, settings settings) (stop func(), err error) {
	endpoint, err := url.Parse(etcdEndpoint)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll("etcd", 0o700); err != nil {
		return nil, err
	}
	configuration := embed.NewConfig()
	configuration.Name = "berth"
	configuration.InitialCluster = configuration.InitialClusterFromName(configuration.Name)
	configuration.Dir = "etcd"
	configuration.ListenClientUrls = []url.URL{*endpoint}
	configuration.ListenPeerUrls = nil // a single member: the addresses it advertises are but names
	configuration.UnsafeNoFsync = settings.noFsync
	configuration.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration // 0, the default, warns of every request
	configuration.LogLevel = "warn"
	server, err := embed.StartEtcd(configuration)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-server.Server.ReadyNotify():
		return server.Close, nil
	case err = <-server.Err():
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-time.After(etcdStartTimeout):
		err = fmt.Errorf("not ready within %v", etcdStartTimeout)
	}
	server.Close()
	return nil, fmt.Errorf("etcd: %w", err)
}
