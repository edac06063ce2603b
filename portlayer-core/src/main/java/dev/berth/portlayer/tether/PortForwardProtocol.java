package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.tether.v1.PortForwardRequest;
import dev.berth.tether.v1.PortForwardResponse;
import java.util.Optional;

/** A connection to one port: its bytes are stdin and stdout, its clean end is exit code 0. */
record PortForwardProtocol(int port)
    implements SessionProtocol<PortForwardRequest, PortForwardResponse> {
  @Override
  public PortForwardRequest begin() {
    return PortForwardRequest.newBuilder().setPort(port).build();
  }

  @Override
  public boolean hasInput() {
    return true;
  }

  @Override
  public PortForwardRequest input(ByteString bytes) {
    return PortForwardRequest.newBuilder().setData(bytes).build();
  }

  @Override
  public PortForwardRequest inputEnd() {
    return PortForwardRequest.newBuilder().setClosed(true).build();
  }

  @Override
  public Optional<PortForwardRequest> resize(ExecSpec.TerminalSize size) {
    return Optional.empty();
  }

  @Override
  public void receive(PortForwardResponse response, Sink sink) {
    switch (response.getKindCase()) {
      case DATA -> sink.stdout(response.getData());
      case CONNECTED, KIND_NOT_SET -> sink.begun();
    }
  }
}
