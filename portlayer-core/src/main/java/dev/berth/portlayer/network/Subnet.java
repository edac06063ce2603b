package dev.berth.portlayer.network;

/**
 * An IPv4 subnet. Addresses are numbers, so that they can be counted.
 *
 * @param base the network's own address
 * @param prefix its length, 8 to 30
 */
public record Subnet(long base, int prefix) {
  /**
   * Reads CIDR notation.
   *
   * @param field what is read, for the message
   * @throws IllegalArgumentException when it is none
   */
  public static Subnet parse(String field, String cidr) {
    String[] parts = cidr.split("/", -1);
    try {
      int prefix = parts.length == 2 ? Integer.parseInt(parts[1]) : -1;
      if (prefix >= 8 && prefix <= 30) {
        long address = address(field, parts[0]);
        return new Subnet(address & mask(prefix), prefix);
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new IllegalArgumentException(
        "%s \"%s\": must be an IPv4 subnet such as 10.222.0.0/16, with a prefix of 8 to 30"
            .formatted(field, cidr));
  }

  /**
   * Reads an address.
   *
   * @param field what is read, for the message
   * @throws IllegalArgumentException when it is none
   */
  public static long address(String field, String text) {
    String[] parts = text.split("\\.", -1);
    long address = 0;
    boolean valid = parts.length == 4;
    for (int i = 0; valid && i < 4; i++) {
      valid = parts[i].matches("0|[1-9][0-9]{0,2}") && Integer.parseInt(parts[i]) <= 255;
      address = valid ? address << 8 | Integer.parseInt(parts[i]) : 0;
    }
    if (!valid) {
      throw new IllegalArgumentException(
          "%s \"%s\": must be an IPv4 address such as 10.222.0.1".formatted(field, text));
    }
    return address;
  }

  /** Writes an address. */
  public static String text(long address) {
    return "%d.%d.%d.%d"
        .formatted(address >> 24 & 0xff, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
  }

  /** The lowest address that something may have. */
  public long first() {
    return base + 1;
  }

  /** The highest address that something may have: the one before the broadcast address. */
  public long last() {
    return base + (1L << (32 - prefix)) - 2;
  }

  public boolean contains(long address) {
    return (address & mask(prefix)) == base;
  }

  public boolean overlaps(Subnet other) {
    return contains(other.base) || other.contains(base);
  }

  @Override
  public String toString() {
    return text(base) + "/" + prefix;
  }

  private static long mask(int prefix) {
    return 0xffffffffL << (32 - prefix) & 0xffffffffL;
  }
}
