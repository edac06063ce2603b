package dev.berth.portlayer.image.layer;

/** Numbers as tar headers spell them. */
final class TarNumbers {
  private TarNumbers() {}

  /** An octal or, for numbers that don't fit, big-endian base-256 field; blank is 0. */
  static long field(byte[] block, int offset, int length) throws CorruptArchiveException {
    if ((block[offset] & 0x80) != 0) {
      return base256(block, offset, length);
    }
    long value = 0;
    int end = offset + length;
    int i = offset;
    while (i < end && (block[i] == ' ' || block[i] == 0)) {
      i++;
    }
    for (; i < end && block[i] != ' ' && block[i] != 0; i++) {
      if (block[i] < '0' || block[i] > '7') {
        throw new CorruptArchiveException("malformed number in tar header");
      }
      value = value << 3 | (block[i] - '0');
    }
    return value;
  }

  private static long base256(byte[] block, int offset, int length) throws CorruptArchiveException {
    boolean negative = (block[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = 0; i < length; i++) {
      int octet =
          i == 0 ? (negative ? block[offset] | 0x80 : block[offset] & 0x3f) : block[offset + i];
      if (value >> 55 != (negative ? -1 : 0)) {
        throw new CorruptArchiveException("number out of range in tar header");
      }
      value = value << 8 | (octet & 0xff);
    }
    return value;
  }

  /** A decimal number that isn't negative. */
  static long decimal(String text) throws CorruptArchiveException {
    try {
      long value = Long.parseLong(text.strip());
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Falls through to the refusal.
    }
    throw new CorruptArchiveException("malformed number in PAX header");
  }

  /** Whole seconds, rounded down, of a PAX time such as {@code 1700000000.123456789}. */
  static long seconds(String text) throws CorruptArchiveException {
    try {
      int dot = text.indexOf('.');
      long whole = Long.parseLong(dot < 0 ? text : text.substring(0, dot));
      boolean fraction = dot >= 0 && text.substring(dot + 1).chars().anyMatch(c -> c != '0');
      return text.startsWith("-") && fraction ? whole - 1 : whole;
    } catch (NumberFormatException e) {
      throw new CorruptArchiveException("malformed time in PAX header");
    }
  }
}
