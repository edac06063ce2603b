package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.tether.v1.ExecBegin;
import dev.berth.tether.v1.ExecRequest;
import dev.berth.tether.v1.ExecResponse;
import java.util.Optional;

/** Another process in the container. */
record ExecProtocol(ExecSpec spec) implements SessionProtocol<ExecRequest, ExecResponse> {
  @Override
  public ExecRequest begin() {
    ExecBegin.Builder begin =
        ExecBegin.newBuilder()
            .addAllArguments(spec.arguments())
            .setTerminal(spec.terminal())
            .setStdin(spec.stdin());
    spec.size().map(TetherMessages::size).ifPresent(begin::setSize);
    return ExecRequest.newBuilder().setBegin(begin).build();
  }

  @Override
  public boolean hasInput() {
    return spec.stdin();
  }

  @Override
  public ExecRequest input(ByteString bytes) {
    return ExecRequest.newBuilder().setStdin(bytes).build();
  }

  @Override
  public ExecRequest inputEnd() {
    return ExecRequest.newBuilder().setStdinClosed(true).build();
  }

  @Override
  public Optional<ExecRequest> resize(ExecSpec.TerminalSize size) {
    return spec.terminal()
        ? Optional.of(ExecRequest.newBuilder().setResize(TetherMessages.size(size)).build())
        : Optional.empty();
  }

  @Override
  public void receive(ExecResponse response, Sink sink) {
    switch (response.getKindCase()) {
      case STDOUT -> sink.stdout(response.getStdout());
      case STDERR -> sink.stderr(response.getStderr());
      case EXIT -> sink.exit(response.getExit().getExitCode(), response.getExit().getMessage());
      case KIND_NOT_SET -> sink.begun();
    }
  }
}
