package dev.berth.portlayer.image.layer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Maps of sparse files that are stored in blocks; each is offset, length, offset, length, …. */
final class SparseMaps {
  /** Far beyond what a real file has; bounds memory. */
  private static final int MAXIMUM_NUMBERS = 1 << 20;

  /** Yields the archive's next block of 512 bytes. */
  interface Blocks {
    byte[] next() throws IOException;
  }

  private SparseMaps() {}

  /** GNU's own format: four pairs in the header, 21 in each extension block. */
  static List<Long> old(byte[] header, Blocks blocks) throws IOException {
    List<Long> map = new ArrayList<>();
    pairs(header, 386, 4, map);
    boolean more = header[482] != 0;
    while (more) {
      byte[] extension = blocks.next();
      pairs(extension, 0, 21, map);
      more = extension[504] != 0;
    }
    return map;
  }

  private static void pairs(byte[] block, int offset, int count, List<Long> map)
      throws CorruptArchiveException {
    for (int i = 0; i < count; i++) {
      int at = offset + i * 24;
      if (block[at] != 0) {
        add(map, TarNumbers.field(block, at, 12));
        add(map, TarNumbers.field(block, at + 12, 12));
      }
    }
  }

  /** PAX format 1.0: decimal lines before the content, the first one counts the pairs. */
  static List<Long> version1(Blocks blocks) throws IOException {
    List<Long> numbers = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    long wanted = 1;
    while (numbers.size() < wanted) {
      for (byte octet : blocks.next()) {
        if (octet != '\n' && numbers.size() < wanted) {
          if (line.length() > 20) {
            throw new CorruptArchiveException("malformed sparse file in tar archive");
          }
          line.append((char) octet);
        } else if (numbers.size() < wanted) {
          add(numbers, TarNumbers.decimal(line.toString()));
          line.setLength(0);
          wanted = 1 + 2 * Math.min(numbers.getFirst(), MAXIMUM_NUMBERS);
        }
      }
    }
    return numbers.subList(1, numbers.size());
  }

  private static void add(List<Long> map, long number) throws CorruptArchiveException {
    if (map.size() > MAXIMUM_NUMBERS || number < 0) {
      throw new CorruptArchiveException("malformed sparse file in tar archive");
    }
    map.add(number);
  }
}
