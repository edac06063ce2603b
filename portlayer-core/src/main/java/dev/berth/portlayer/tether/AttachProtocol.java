package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.tether.v1.AttachBegin;
import dev.berth.tether.v1.AttachRequest;
import dev.berth.tether.v1.AttachResponse;
import java.util.Optional;

/** The container's first process. */
record AttachProtocol(boolean hasInput) implements SessionProtocol<AttachRequest, AttachResponse> {
  @Override
  public AttachRequest begin() {
    return AttachRequest.newBuilder().setBegin(AttachBegin.newBuilder().setStdin(hasInput)).build();
  }

  @Override
  public AttachRequest input(ByteString bytes) {
    return AttachRequest.newBuilder().setStdin(bytes).build();
  }

  @Override
  public AttachRequest inputEnd() {
    return AttachRequest.newBuilder().setStdinClosed(true).build();
  }

  @Override
  public Optional<AttachRequest> resize(ExecSpec.TerminalSize size) {
    // The tether knows whether its process has a terminal, and ignores it otherwise.
    return Optional.of(AttachRequest.newBuilder().setResize(TetherMessages.size(size)).build());
  }

  @Override
  public void receive(AttachResponse response, Sink sink) {
    switch (response.getKindCase()) {
      case STDOUT -> sink.stdout(response.getStdout());
      case STDERR -> sink.stderr(response.getStderr());
      case EXIT -> sink.exit(response.getExit().getExitCode(), response.getExit().getMessage());
      case KIND_NOT_SET -> sink.begun();
    }
  }
}
