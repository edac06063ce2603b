package guests

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"time"

	"berth.dev/tether/api"
	"berth.dev/tether/boot"
	"berth.dev/tether/schema"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	terminated = 15
	// signalled is added to the signal for an exit code.
	signalled = 128
)

// line is a connection, the end of which is an error: another will be dialled.
type line struct{ net.Conn }

func (l line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		err = net.ErrClosed
	}
	return n, err
}

// tether answers as one does whose process does nothing.
type tether struct {
	api.UnimplementedTetherServer
	guest *guest
}

// serve makes the server, which lets in whoever has a certificate of the VM's authority.
func (g *guest) serve(identity boot.Identity) (*grpc.Server, error) {
	certificate, err := tls.X509KeyPair([]byte(identity.Certificate), []byte(identity.Key))
	if err != nil {
		return nil, err
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM([]byte(identity.Authority))
	served := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority,
		MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true,
	})))
	api.RegisterTetherServer(served, &tether{guest: g})
	return served, nil
}

func (t *tether) Describe(context.Context, *api.DescribeRequest) (*api.State, error) {
	return message(t.guest.states.Current()), nil
}

func (t *tether) WriteVolume(context.Context, *api.WriteVolumeRequest) (*api.WriteVolumeResponse, error) {
	return &api.WriteVolumeResponse{}, nil
}

func (t *tether) Start(_ context.Context, request *api.StartRequest) (*api.State, error) {
	switch now := t.guest.states.Current(); {
	case now.Phase != schema.Ready && now.Attempt >= request.Attempt:
		return message(now), nil
	case now.Phase == schema.Running:
		return nil, status.Error(codes.FailedPrecondition, "another attempt runs")
	}
	return message(t.guest.states.Update(func(s *schema.State) {
		*s = schema.State{ID: s.ID, BootID: s.BootID, TetherVersion: s.TetherVersion, Phase: schema.Running, Attempt: request.Attempt, StartedAt: time.Now()}
	})), nil
}

func (t *tether) Stop(context.Context, *api.StopRequest) (*api.State, error) {
	if now := t.guest.states.Current(); now.Phase != schema.Running {
		return message(now), nil
	}
	return message(t.guest.states.Update(func(s *schema.State) {
		s.Phase, s.FinishedAt, s.Signal, s.ExitCode, s.Reason = schema.Exited, time.Now(), terminated, signalled+terminated, "Error"
	})), nil
}

func (t *tether) Shutdown(ctx context.Context, _ *api.ShutdownRequest) (*api.ShutdownResponse, error) {
	_, err := t.Stop(ctx, nil)
	time.AfterFunc(answerTime, t.guest.door.powerOff)
	return &api.ShutdownResponse{}, err
}

func message(s *schema.State) *api.State {
	return &api.State{
		Id: s.ID, BootId: s.BootID, TetherVersion: s.TetherVersion, Sequence: s.Sequence, Phase: api.Phase(s.Phase), Attempt: s.Attempt,
		StartedAt: timestamp(s.StartedAt), FinishedAt: timestamp(s.FinishedAt), ExitCode: s.ExitCode, Signal: s.Signal, Reason: s.Reason,
	}
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
