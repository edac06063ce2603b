package server

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"berth.dev/tether/api"
	"berth.dev/tether/process"
	"berth.dev/tether/schema"
)

// answer gives a call's state as a message, if there is one.
func answer(s *schema.State, err error) (*api.State, error) {
	if s == nil {
		return nil, err
	}
	return stateMessage(s), err
}

func stateMessage(s *schema.State) *api.State {
	return &api.State{
		Id: s.ID, BootId: s.BootID, TetherVersion: s.TetherVersion, Sequence: s.Sequence, Phase: api.Phase(s.Phase), Attempt: s.Attempt,
		StartedAt: timestamp(s.StartedAt), FinishedAt: timestamp(s.FinishedAt), ExitCode: s.ExitCode, Signal: s.Signal,
		Reason: s.Reason, Message: s.Message,
	}
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func statsMessage(s process.Stats) *api.StatsResponse {
	return &api.StatsResponse{
		Time: timestamp(s.Time), CpuNanoseconds: s.CPUNanoseconds, MemoryWorkingSet: s.MemoryWorkingSet, MemoryUsage: s.MemoryUsage,
		ScratchUsed: s.ScratchUsed, ScratchCapacity: s.ScratchCapacity, Processes: s.Processes,
		NetworkReceived: s.NetworkReceived, NetworkSent: s.NetworkTransmitted,
	}
}

func exitMessage(e process.Exit) *api.Exit { return &api.Exit{ExitCode: e.Code, Message: e.Message} }

func size(s *api.TerminalSize) *process.Size {
	if s == nil {
		return nil
	}
	return &process.Size{Columns: uint16(s.Columns), Rows: uint16(s.Rows)}
}
