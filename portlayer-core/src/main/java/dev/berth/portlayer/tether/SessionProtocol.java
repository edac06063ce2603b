package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import dev.berth.portlayer.interaction.ExecSpec;
import java.util.Optional;

/** How exec, attach and port forwarding put one session's bytes and events into their messages. */
interface SessionProtocol<RequestT, ResponseT> {
  /** The first message. */
  RequestT begin();

  /** Whether the process takes input at all. */
  boolean hasInput();

  RequestT input(ByteString bytes);

  RequestT inputEnd();

  /** Empty where there is no terminal. */
  Optional<RequestT> resize(ExecSpec.TerminalSize size);

  void receive(ResponseT response, Sink sink);

  /** Where what was received goes. */
  interface Sink {
    /** The other side has begun. */
    void begun();

    void stdout(ByteString bytes);

    void stderr(ByteString bytes);

    void exit(int code, String message);
  }
}
