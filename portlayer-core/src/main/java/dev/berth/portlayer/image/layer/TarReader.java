package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the headers of a tar archive in a file and says where the contents are, without reading
 * them: v7, ustar, GNU (long names, sparse) and PAX (global headers, extended attributes, sparse
 * 0.0, 0.1 and 1.0). Own code, because layers carry binary values in PAX records
 * (security.capability), which readers that decode text destroy.
 */
final class TarReader {
  private static final int BLOCK = 512;
  private static final int WINDOW = 1 << 16;

  /** Names and PAX headers beyond this are an attack on memory, not an image. */
  private static final int MAXIMUM_HEADER = 1 << 20;

  private final FileChannel channel;
  private final long length;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW).limit(0);
  private long windowStart;
  private long position;
  private PaxRecords globals = new PaxRecords();

  TarReader(FileChannel channel) throws IOException {
    this.channel = channel;
    this.length = channel.size();
  }

  /** The next entry that stands for a file of any type, or null at the archive's end. */
  @Nullable TarEntry next() throws IOException {
    PaxRecords pax = new PaxRecords(globals);
    String longName = null;
    String longLink = null;
    while (true) {
      byte[] header = readHeader();
      if (header == null) {
        return null;
      }
      long size = pax.number("size", TarNumbers.field(header, 124, 12));
      switch (header[156]) {
        case 'x', 'X' -> pax.parse(payload(TarNumbers.field(header, 124, 12)));
        case 'g' -> {
          globals = new PaxRecords(globals);
          globals.parse(payload(TarNumbers.field(header, 124, 12)));
          pax = new PaxRecords(globals);
        }
        case 'L' -> longName = text(payload(TarNumbers.field(header, 124, 12)));
        case 'K' -> longLink = text(payload(TarNumbers.field(header, 124, 12)));
        default -> {
          TarEntry entry = entry(header, size, pax, longName, longLink);
          if (entry != null) {
            return entry;
          }
          pax = new PaxRecords(globals);
          longName = null;
          longLink = null;
        }
      }
    }
  }

  private @Nullable TarEntry entry(
      byte[] header,
      long size,
      PaxRecords pax,
      @Nullable String longName,
      @Nullable String longLink)
      throws IOException {
    String path = pax.getOr("path", longName != null ? longName : name(header));
    TarEntry.Type type = type(header[156], path);
    if (type == null) {
      skip(size);
      return null;
    }
    Content content = new Content(0, List.of());
    if (type == TarEntry.Type.FILE) {
      content = content(header, size, pax);
      path = pax.getOr("GNU.sparse.name", path);
    } else if (type == TarEntry.Type.DIRECTORY) {
      skip(size);
    }
    return new TarEntry(
        path,
        type,
        attributes(header, pax),
        linkTarget(header, type, pax, longLink),
        (int) pax.number("SCHILY.devmajor", device(header, 329, type)),
        (int) pax.number("SCHILY.devminor", device(header, 337, type)),
        content.size(),
        content.extents());
  }

  private static String linkTarget(
      byte[] header, TarEntry.Type type, PaxRecords pax, @Nullable String longLink) {
    if (type != TarEntry.Type.SYMBOLIC_LINK && type != TarEntry.Type.HARD_LINK) {
      return "";
    }
    return pax.getOr("linkpath", longLink != null ? longLink : field(header, 157, 100));
  }

  private static long device(byte[] header, int offset, TarEntry.Type type)
      throws CorruptArchiveException {
    return type == TarEntry.Type.CHARACTER_DEVICE || type == TarEntry.Type.BLOCK_DEVICE
        ? TarNumbers.field(header, offset, 8)
        : 0;
  }

  private static Inode.Attributes attributes(byte[] header, PaxRecords pax)
      throws CorruptArchiveException {
    String modified = pax.get("mtime");
    Map<String, byte[]> extended = pax.extendedAttributes();
    return new Inode.Attributes(
        (int) TarNumbers.field(header, 100, 8) & 07777,
        pax.number("uid", TarNumbers.field(header, 108, 8)),
        pax.number("gid", TarNumbers.field(header, 116, 8)),
        modified == null ? TarNumbers.field(header, 136, 12) : TarNumbers.seconds(modified),
        extended);
  }

  private static TarEntry.@Nullable Type type(byte flag, String path) {
    return switch (flag) {
      case 0, '0', '7', 'S' ->
          flag == 0 && path.endsWith("/") ? TarEntry.Type.DIRECTORY : TarEntry.Type.FILE;
      case '1' -> TarEntry.Type.HARD_LINK;
      case '2' -> TarEntry.Type.SYMBOLIC_LINK;
      case '3' -> TarEntry.Type.CHARACTER_DEVICE;
      case '4' -> TarEntry.Type.BLOCK_DEVICE;
      case '5' -> TarEntry.Type.DIRECTORY;
      case '6' -> TarEntry.Type.FIFO;
      default -> null; // Volume labels, sockets and the like are nothing an image can hold.
    };
  }

  private record Content(long size, List<Inode.Extent> extents) {}

  private Content content(byte[] header, long size, PaxRecords pax) throws IOException {
    if (header[156] == 'S') {
      long realSize = TarNumbers.field(header, 483, 12);
      return sparse(realSize, SparseMaps.old(header, this::block), size);
    }
    if ("1".equals(pax.get("GNU.sparse.major"))) {
      long begin = position;
      List<Long> map = SparseMaps.version1(this::block);
      return sparse(pax.number("GNU.sparse.realsize", 0), map, size - (position - begin));
    }
    List<Long> map = pax.sparseMap();
    if (!map.isEmpty() || pax.get("GNU.sparse.size") != null) {
      return sparse(pax.number("GNU.sparse.size", 0), map, size);
    }
    long start = position;
    skip(size);
    return new Content(size, size == 0 ? List.of() : List.of(new Inode.Extent(0, start, size)));
  }

  private Content sparse(long realSize, List<Long> map, long stored) throws IOException {
    List<Inode.Extent> extents = new ArrayList<>();
    long source = position;
    long end = 0;
    for (int i = 0; i + 1 < map.size(); i += 2) {
      long offset = map.get(i);
      long run = map.get(i + 1);
      if (run == 0) {
        continue;
      }
      if (offset < end || offset > realSize - run || run > position + stored - source) {
        throw new CorruptArchiveException("malformed sparse file in tar archive");
      }
      extents.add(new Inode.Extent(offset, source, run));
      source += run;
      end = offset + run;
    }
    skip(stored);
    return new Content(realSize, extents);
  }

  private byte @Nullable [] readHeader() throws IOException {
    if (position == length) {
      return null;
    }
    byte[] header = block();
    if (allZero(header)) {
      return null;
    }
    checkSum(header);
    return header;
  }

  private static boolean allZero(byte[] block) {
    for (byte octet : block) {
      if (octet != 0) {
        return false;
      }
    }
    return true;
  }

  private static void checkSum(byte[] header) throws CorruptArchiveException {
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < BLOCK; i++) {
      byte octet = i >= 148 && i < 156 ? (byte) ' ' : header[i];
      unsigned += octet & 0xff;
      signed += octet;
    }
    long expected = TarNumbers.field(header, 148, 8);
    if (expected != unsigned && expected != signed) {
      throw new CorruptArchiveException("not a tar archive, or a damaged one: header checksum");
    }
  }

  private static String name(byte[] header) {
    String name = field(header, 0, 100);
    boolean ustar = new String(header, 257, 6, ISO_8859_1).equals("ustar\0");
    String prefix = ustar ? field(header, 345, 155) : "";
    return prefix.isEmpty() ? name : prefix + "/" + name;
  }

  private static String field(byte[] header, int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return new String(header, offset, end - offset, ISO_8859_1);
  }

  private static String text(byte[] payload) {
    return field(payload, 0, payload.length);
  }

  private byte[] payload(long size) throws IOException {
    if (size < 0 || size > MAXIMUM_HEADER) {
      throw new CorruptArchiveException("tar header of " + size + " bytes");
    }
    byte[] data = new byte[(int) size];
    read(position, data);
    skip(size);
    return data;
  }

  private byte[] block() throws IOException {
    byte[] block = new byte[BLOCK];
    read(position, block);
    position += BLOCK;
    return block;
  }

  /** Moves past {@code size} bytes of content and their padding. */
  private void skip(long size) throws IOException {
    if (size < 0 || size > length - position) {
      throw new CorruptArchiveException("tar archive ends within an entry");
    }
    position = Math.min(length, position + (size + BLOCK - 1) / BLOCK * BLOCK);
  }

  private void read(long from, byte[] target) throws IOException {
    if (from + target.length > length) {
      throw new CorruptArchiveException("tar archive ends within an entry");
    }
    int done = 0;
    while (done < target.length) {
      long wanted = from + done;
      if (wanted < windowStart || wanted >= windowStart + window.limit()) {
        window.clear();
        windowStart = wanted;
        while (window.hasRemaining() && channel.read(window, wanted + window.position()) >= 0) {
          // Fills the window as far as the file goes.
        }
        window.flip();
        if (window.limit() == 0) {
          throw new CorruptArchiveException("tar archive ends within an entry");
        }
      }
      int inWindow = (int) (wanted - windowStart);
      int count = Math.min(target.length - done, window.limit() - inWindow);
      window.get(inWindow, target, done, count);
      done += count;
    }
  }
}
