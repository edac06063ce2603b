package dev.berth.portlayer.tether;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * One message of the handshake that begins every session on a control port: 44 bytes of magic,
 * type, three zeros, nonce, CRC-32C of all before, four zeros.
 */
record LinkFrame(Type type, Nonce nonce) {
  static final int SIZE = 44;

  private static final byte[] MAGIC = "BERTH-LINK-01\r\n\0".getBytes(StandardCharsets.US_ASCII);
  private static final int NONCE_OFFSET = 20;
  private static final int CHECKED = NONCE_OFFSET + Nonce.SIZE;

  /**
   * What a frame says: the handshake in its order, then the question that comes before it on a
   * stream whose guest is not known, with its answer, which has the guest's name as its nonce.
   */
  enum Type {
    HELLO(1),
    ACK(2),
    START(3),
    READY(4),
    WHO(5),
    NAME(6);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    private static Optional<Type> of(int code) {
      return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }
  }

  /** Names one attempt at a session, or in a NAME the guest. */
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
