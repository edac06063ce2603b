// Package server is the tether's side of the schema: it turns calls into work on the container.
package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/crash"
	"berth.dev/tether/process"
	"berth.dev/tether/schema"
	"berth.dev/tether/state"
	"berth.dev/tether/volume"
)

const (
	// defaultWindow is the flow-control window; the dynamic one overruns the small buffers of an emulated port.
	defaultWindow = 256 << 10
	// SerialWindow is that of a slow serial port: all that is in it is before what comes next.
	SerialWindow = 64 << 10
	// maximumMessage bounds one message: the files of a volume are the largest.
	maximumMessage = 16 << 20
	// shortestPing is how often a client may ask over a quiet network whether its session still stands.
	shortestPing = 5 * time.Second
	// handshakeDeadline is how long a client may take to show who it is.
	handshakeDeadline = 30 * time.Second
	// clockTolerance is how far the VM's clock may be off before a Start sets it.
	clockTolerance = 20 * time.Millisecond
)

// Tether implements the service.
type Tether struct {
	api.UnimplementedTetherServer
	Container *process.Container
	State     *state.Store
	Files     *volume.Store
	// Window is how many bytes may be on their way to the VM; there is a default.
	Window int32
	// PowerOff unmounts and ends the VM; it does not return.
	PowerOff func()
}

// Serve waits for the first session, makes the gRPC server, and answers this session and all later ones.
func Serve(identity boot.Identity, tether *Tether, listener net.Listener) error {
	first, err := listener.Accept()
	if err != nil {
		return err
	}
	server, err := newServer(identity, tether)
	if err != nil {
		return errors.Join(err, first.Close())
	}
	return server.Serve(&begun{Listener: listener, first: first})
}

// begun is a listener whose first session was accepted already. Accept is called by one goroutine.
type begun struct {
	net.Listener
	first net.Conn
}

func (b *begun) Accept() (net.Conn, error) {
	if first := b.first; first != nil {
		b.first = nil
		return first, nil
	}
	return b.Listener.Accept()
}

// newServer makes the gRPC server, which lets in whoever has a certificate of the VM's authority.
func newServer(identity boot.Identity, tether *Tether) (*grpc.Server, error) {
	certificate, err := tls.X509KeyPair([]byte(identity.Certificate), []byte(identity.Key))
	if err != nil {
		return nil, fmt.Errorf("boot configuration: identity: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM([]byte(identity.Authority)) {
		return nil, errors.New("boot configuration: identity.authority holds no certificate")
	}
	window := int32(defaultWindow)
	if tether.Window > 0 {
		window = tether.Window
	}
	server := grpc.NewServer(
		grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority,
			MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true,
		})),
		grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window), grpc.MaxRecvMsgSize(maximumMessage),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: shortestPing}), grpc.ConnectionTimeout(handshakeDeadline),
		grpc.ChainUnaryInterceptor(guardCall), grpc.ChainStreamInterceptor(guardStream))
	api.RegisterTetherServer(server, tether)
	return server, nil
}

func guardCall(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	defer crash.Guard()
	answer, err := handler(ctx, request)
	return answer, convert(err)
}

func guardStream(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	defer crash.Guard()
	return convert(handler(service, stream))
}

// convert gives an error its code.
func convert(err error) error {
	if _, known := status.FromError(err); known {
		return err
	}
	code := codes.Internal
	switch {
	case errors.Is(err, process.ErrPrecondition):
		code = codes.FailedPrecondition
	case errors.Is(err, process.ErrInvalid):
		code = codes.InvalidArgument
	case errors.Is(err, process.ErrSlow):
		code = codes.ResourceExhausted
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	return status.Error(code, err.Error())
}

// Describe gives the present state.
func (t *Tether) Describe(context.Context, *api.DescribeRequest) (*api.State, error) {
	return stateMessage(t.State.Current()), nil
}

// WatchState streams every change.
func (t *Tether) WatchState(_ *api.WatchStateRequest, stream api.Tether_WatchStateServer) error {
	return t.State.Watch(stream.Context(), func(s *schema.State) error { return stream.Send(stateMessage(s)) })
}

// WriteVolume replaces the files of an in-memory volume.
func (t *Tether) WriteVolume(_ context.Context, request *api.WriteVolumeRequest) (*api.WriteVolumeResponse, error) {
	files := make([]volume.File, len(request.Files))
	for i, file := range request.Files {
		files[i] = volume.File{Path: file.Path, Content: file.Content, Mode: file.Mode}
	}
	err := t.Files.Write(request.Volume, files, volume.Owner{User: request.User, Group: request.Group})
	if errors.Is(err, volume.ErrInvalid) {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &api.WriteVolumeResponse{}, err
}

// Start starts an attempt.
func (t *Tether) Start(_ context.Context, request *api.StartRequest) (*api.State, error) {
	if request.Clock != nil {
		if err := boot.SetClock(request.Clock.AsTime(), clockTolerance); err != nil {
			return nil, err
		}
	}
	content, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	start, err := schema.ReadStart(content)
	if err != nil {
		return nil, err
	}
	return answer(t.Container.Start(start.Attempt, start.Process))
}

// Stop ends the process.
func (t *Tether) Stop(ctx context.Context, request *api.StopRequest) (*api.State, error) {
	return answer(t.Container.Stop(ctx, grace(request.GracePeriod), request.Signal))
}

func grace(d *durationpb.Duration) time.Duration { return max(0, d.AsDuration()) }

// Signal sends a signal to the process.
func (t *Tether) Signal(_ context.Context, request *api.SignalRequest) (*api.SignalResponse, error) {
	return &api.SignalResponse{}, t.Container.Signal(request.Signal)
}

// Stats measures the container.
func (t *Tether) Stats(context.Context, *api.StatsRequest) (*api.StatsResponse, error) {
	return statsMessage(t.Container.Stats()), nil
}

// shutdownMargin is the time after the grace period in which a killed process must be gone.
const shutdownMargin = 5 * time.Second

// answerTime is given to the answer to reach the host before the VM goes.
const answerTime = 20 * time.Millisecond

// Shutdown ends the process and the VM. A caller that goes away does not stop it.
func (t *Tether) Shutdown(_ context.Context, request *api.ShutdownRequest) (*api.ShutdownResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), grace(request.GracePeriod)+shutdownMargin)
	defer cancel()
	_, err := t.Container.Stop(ctx, grace(request.GracePeriod), "")
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	time.AfterFunc(answerTime, t.PowerOff)
	return &api.ShutdownResponse{}, nil
}
