package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Separates frames from payload in a stream of bytes. Holds back only what may still become a
 * frame. For one thread.
 */
final class LinkScanner {
  private byte[] received = new byte[0];

  /** What a stream consists of: one of the two is there. */
  record Piece(@Nullable LinkFrame frame, ByteString payload) {
    boolean is(LinkFrame.Type type) {
      return frame != null && frame.type() == type;
    }
  }

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

  /** The next piece, or empty when more bytes are needed. */
  Optional<Piece> next() {
    int start = frameStart(0);
    if (start > 0) {
      return Optional.of(payload(start));
    }
    if (received.length < LinkFrame.SIZE) {
      return Optional.empty();
    }
    Optional<LinkFrame> frame = LinkFrame.parse(received, 0);
    if (frame.isEmpty()) {
      return Optional.of(payload(frameStart(1)));
    }
    drop(LinkFrame.SIZE);
    return frame.map(found -> new Piece(found, ByteString.EMPTY));
  }

  /** Whether bytes are held that {@link #rest} would give, and only chance made like a frame. */
  boolean isHolding() {
    return received.length > 0 && received.length < LinkFrame.MAGIC.length;
  }

  /** What was not given as a piece yet. */
  ByteString rest() {
    ByteString rest = ByteString.copyFrom(received);
    received = new byte[0];
    return rest;
  }

  private Piece payload(int length) {
    ByteString bytes = ByteString.copyFrom(received, 0, length);
    drop(length);
    return new Piece(null, bytes);
  }

  private void drop(int length) {
    received = Arrays.copyOfRange(received, length, received.length);
  }

  /** The first index from which on the bytes may be a frame, or their number. */
  private int frameStart(int from) {
    for (int start = from; start < received.length; start++) {
      int length = Math.min(LinkFrame.MAGIC.length, received.length - start);
      if (received[start] == LinkFrame.MAGIC[0]
          && Arrays.equals(received, start, start + length, LinkFrame.MAGIC, 0, length)) {
        return start;
      }
    }
    return received.length;
  }
}
