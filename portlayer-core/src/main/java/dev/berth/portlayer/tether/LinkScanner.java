package dev.berth.portlayer.tether;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Predicate;

/** Takes frames out of a stream of bytes and forgets all that is none. For one thread. */
final class LinkScanner {
  private byte[] received = new byte[0];

  /** Takes over the next bytes of the stream. */
  void add(ByteBuf bytes) {
    try {
      int before = received.length;
      received = Arrays.copyOf(received, before + bytes.readableBytes());
      bytes.readBytes(received, before, received.length - before);
    } finally {
      bytes.release();
    }
  }

  /** Gives frames, one after the other, until the action says that it has enough. */
  void scan(Predicate<LinkFrame> more) {
    Optional<LinkFrame> frame = next();
    while (frame.isPresent() && more.test(frame.get())) {
      frame = next();
    }
  }

  /** The next whole frame, or empty when more bytes are needed. */
  private Optional<LinkFrame> next() {
    int position = 0;
    Optional<LinkFrame> frame = Optional.empty();
    while (frame.isEmpty() && received.length - position >= LinkFrame.SIZE) {
      frame = LinkFrame.parse(received, position);
      position += frame.isPresent() ? LinkFrame.SIZE : 1;
    }
    received = Arrays.copyOfRange(received, position, received.length);
    return frame;
  }

  /** What came after the last frame. */
  byte[] rest() {
    return received;
  }
}
