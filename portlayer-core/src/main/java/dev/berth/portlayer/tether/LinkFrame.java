package dev.berth.portlayer.tether;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/**
 * One message of the handshake that begins every session on a control port: 44 bytes of magic,
 * type, three zeros, nonce, CRC-32C of all before, four zeros.
 */
record LinkFrame(Type type, Nonce nonce) {
  static final int SIZE = 44;

  static final byte[] MAGIC = "BERTH-LINK-01\r\n\0".getBytes(StandardCharsets.US_ASCII);
  private static final int NONCE_OFFSET = 20;
  private static final int CHECKED = NONCE_OFFSET + Nonce.SIZE;

  /**
   * What a frame says: the handshake in its order; the question that comes before it on a stream
   * whose guest is not known, and its answer, with the guest's name in the nonce's place; and what
   * a resumable session adds, all but BEGIN with a position in the nonce's place.
   */
  enum Type {
    HELLO(1),
    ACK(2),
    START(3),
    READY(4),
    WHO(5),
    NAME(6),
    BEGIN(7),
    RECEIVED(8),
    RESUME(9),
    GONE(10);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    private static Optional<Type> of(int code) {
      return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }
  }

  /** Names one attempt at a session, or in a NAME the guest, or is a position. */
  record Nonce(String hexadecimal) {
    static final int SIZE = 16;

    private static final SecureRandom RANDOM = new SecureRandom();

    static Nonce random() {
      byte[] bytes = new byte[SIZE];
      RANDOM.nextBytes(bytes);
      return of(bytes);
    }

    /** What a containerVM answers to WHO; a claim, which the session's certificate proves. */
    static Nonce nameOf(String containerVmId) {
      return of(Arrays.copyOf(VchAuthority.digest(containerVmId), SIZE));
    }

    static Nonce of(byte[] bytes) {
      return new Nonce(HexFormat.of().formatHex(bytes));
    }
  }

  /** How many bytes of a session were received: half of its nonce, then the number. */
  static Nonce position(Nonce session, long received) {
    byte[] bytes = HexFormat.of().parseHex(session.hexadecimal());
    return Nonce.of(ByteBuffer.wrap(bytes).putLong(Nonce.SIZE / 2, received).array());
  }

  /** The number in the nonce's place; empty when it is not one of the session. */
  OptionalLong received(Nonce session) {
    String half = session.hexadecimal().substring(0, Nonce.SIZE);
    return nonce.hexadecimal().startsWith(half)
        ? OptionalLong.of(Long.parseUnsignedLong(nonce.hexadecimal().substring(Nonce.SIZE), 16))
        : OptionalLong.empty();
  }

  /** The frame as it goes over the wire. */
  byte[] bytes() {
    ByteBuffer frame = ByteBuffer.allocate(SIZE);
    frame.put(MAGIC).put((byte) type.code);
    frame.position(NONCE_OFFSET);
    frame.put(HexFormat.of().parseHex(nonce.hexadecimal()));
    frame.putInt(sum(frame.array(), 0));
    return frame.array();
  }

  /** The frame that begins at {@code offset}, or empty when none does. */
  static Optional<LinkFrame> parse(byte[] bytes, int offset) {
    if (bytes.length - offset < SIZE
        || !Arrays.equals(bytes, offset, offset + MAGIC.length, MAGIC, 0, MAGIC.length)) {
      return Optional.empty();
    }
    ByteBuffer frame = ByteBuffer.wrap(bytes, offset, SIZE).slice();
    boolean reservedZero =
        frame.get(17) == 0 && frame.get(18) == 0 && frame.get(19) == 0 && frame.getInt(40) == 0;
    if (!reservedZero || frame.getInt(CHECKED) != sum(bytes, offset)) {
      return Optional.empty();
    }
    byte[] nonce = new byte[Nonce.SIZE];
    frame.get(NONCE_OFFSET, nonce);
    return Type.of(frame.get(MAGIC.length)).map(type -> new LinkFrame(type, Nonce.of(nonce)));
  }

  private static int sum(byte[] bytes, int offset) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, offset, CHECKED);
    return (int) sum.getValue();
  }
}
