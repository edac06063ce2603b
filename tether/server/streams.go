package server

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"berth.dev/tether/api"
	"berth.dev/tether/crash"
	"berth.dev/tether/logs"
	"berth.dev/tether/process"
)

// Exec runs a process in the container.
func (t *Tether) Exec(stream api.Tether_ExecServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	begin := first.GetBegin()
	if begin == nil {
		return status.Error(codes.InvalidArgument, "the first message must be the begin")
	}
	session, err := t.Container.Exec(process.Command{
		Arguments: begin.Arguments, Terminal: begin.Terminal, Stdin: begin.Stdin, Size: size(begin.Size),
	})
	if exit, failed := process.Failure(err); failed {
		return stream.Send(&api.ExecResponse{Kind: &api.ExecResponse_Exit{Exit: exitMessage(exit)}})
	}
	if err != nil {
		return err
	}
	defer session.Close()
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	go execInput(ctx, stream, session)
	// An output that waits for a process is woken when the caller goes.
	stop := context.AfterFunc(stream.Context(), session.Close)
	defer stop()
	err = session.Copy(func(name string, data []byte) error {
		if name == logs.Stderr {
			return stream.Send(&api.ExecResponse{Kind: &api.ExecResponse_Stderr{Stderr: data}})
		}
		return stream.Send(&api.ExecResponse{Kind: &api.ExecResponse_Stdout{Stdout: data}})
	})
	if err != nil {
		return err
	}
	select {
	case <-session.Ended():
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
	return stream.Send(&api.ExecResponse{Kind: &api.ExecResponse_Exit{Exit: &api.Exit{ExitCode: session.ExitCode()}}})
}

// execInput passes input on until the caller has no more. Its end without stdin_closed is the caller's half-close, which means the same.
func execInput(ctx context.Context, stream api.Tether_ExecServer, session *process.Session) {
	defer crash.Guard()
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			_ = session.CloseInput(ctx)
			return
		}
		if err != nil {
			return
		}
		switch kind := message.Kind.(type) {
		case *api.ExecRequest_Stdin:
			err = session.Write(ctx, kind.Stdin)
		case *api.ExecRequest_StdinClosed:
			err = session.CloseInput(ctx)
		case *api.ExecRequest_Resize:
			err = session.Resize(size(kind.Resize))
		}
		if err != nil {
			return
		}
	}
}

// Attach joins the container's process.
func (t *Tether) Attach(stream api.Tether_AttachServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	begin := first.GetBegin()
	if begin == nil {
		return status.Error(codes.InvalidArgument, "the first message must be the begin")
	}
	attachment, err := t.Container.Attach(stream.Context())
	if err != nil {
		return err
	}
	if err := attachment.Resize(size(begin.Size)); err != nil {
		return err
	}
	go attachInput(stream, attachment)
	exit, err := attachment.Copy(func(name string, data []byte) error {
		if name == logs.Stderr {
			return stream.Send(&api.AttachResponse{Kind: &api.AttachResponse_Stderr{Stderr: data}})
		}
		return stream.Send(&api.AttachResponse{Kind: &api.AttachResponse_Stdout{Stdout: data}})
	})
	if err != nil {
		return err
	}
	return stream.Send(&api.AttachResponse{Kind: &api.AttachResponse_Exit{Exit: exitMessage(exit)}})
}

func attachInput(stream api.Tether_AttachServer, attachment *process.Attachment) {
	defer crash.Guard()
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			_ = attachment.CloseInput()
			return
		}
		if err != nil {
			return
		}
		switch kind := message.Kind.(type) {
		case *api.AttachRequest_Stdin:
			err = attachment.Write(kind.Stdin)
		case *api.AttachRequest_StdinClosed:
			err = attachment.CloseInput()
		case *api.AttachRequest_Resize:
			err = attachment.Resize(size(kind.Resize))
		}
		if err != nil {
			return
		}
	}
}

const (
	dialDeadline = 10 * time.Second
	forwardSize  = 32 << 10
)

// PortForward carries one TCP connection.
func (t *Tether) PortForward(stream api.Tether_PortForwardServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	port := first.GetPort()
	if port == 0 || port > 65535 {
		return status.Errorf(codes.InvalidArgument, "the first message must hold a port from 1 to 65535, not %d", port)
	}
	connection, err := dialLocal(stream.Context(), port)
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	defer connection.Close()
	stop := context.AfterFunc(stream.Context(), func() { _ = connection.Close() })
	defer stop()
	if err := stream.Send(&api.PortForwardResponse{Kind: &api.PortForwardResponse_Connected{Connected: true}}); err != nil {
		return err
	}
	go forwardInput(stream, connection)
	buffer := make([]byte, forwardSize)
	for {
		n, err := connection.Read(buffer)
		if n > 0 {
			if err := stream.Send(&api.PortForwardResponse{Kind: &api.PortForwardResponse_Data{Data: buffer[:n]}}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
	}
}

func forwardInput(stream api.Tether_PortForwardServer, connection *net.TCPConn) {
	defer crash.Guard()
	for {
		message, err := stream.Recv()
		if err != nil || message.GetClosed() {
			_ = connection.CloseWrite()
			return
		}
		if _, err := connection.Write(message.GetData()); err != nil {
			return
		}
	}
}

// dialLocal tries the loopback of both protocols.
func dialLocal(ctx context.Context, port uint32) (*net.TCPConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialDeadline)
	defer cancel()
	var dialer net.Dialer
	number := strconv.FormatUint(uint64(port), 10)
	connection, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", number))
	if err != nil {
		var second error
		if connection, second = dialer.DialContext(ctx, "tcp6", net.JoinHostPort("::1", number)); second != nil {
			return nil, err
		}
	}
	return connection.(*net.TCPConn), nil
}
