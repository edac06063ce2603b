package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;

/**
 * Writes tar headers in the dialect that squashfs-tools 4.5 reads rightly: GNU long names (with PAX
 * {@code linkpath} it strips the leading slash of a symbolic link's target), and LIBARCHIVE
 * extended attributes in unpadded base64 (it refuses binary SCHILY values, and padding).
 */
final class TarWriter {
  private static final int BLOCK = 512;
  private static final byte[] ZEROS = new byte[1 << 16];
  private static final long MAXIMUM_TIME = 0xffff_ffffL;
  private static final long MAXIMUM_ID = 0xffff_ffffL;

  private final OutputStream output;

  TarWriter(OutputStream output) {
    this.output = output;
  }

  /** Writes the header; the caller then writes {@code size} bytes of content and the padding. */
  void header(String path, char type, Inode inode, String link, long size) throws IOException {
    if (path.length() >= 100) {
      longText('L', path);
    }
    if (link.length() >= 100) {
      longText('K', link);
    }
    if (type != '1') {
      extendedAttributes(inode.attributes.extended());
    }
    output.write(block(path, type, inode, link, size));
  }

  void padding(long size) throws IOException {
    output.write(ZEROS, 0, (int) (-size & (BLOCK - 1)));
  }

  void zeros(long count) throws IOException {
    for (long left = count; left > 0; left -= ZEROS.length) {
      output.write(ZEROS, 0, (int) Math.min(left, ZEROS.length));
    }
  }

  void end() throws IOException {
    output.write(ZEROS, 0, 2 * BLOCK);
  }

  private static byte[] block(String path, char type, Inode inode, String link, long size) {
    Inode.Attributes attributes = inode.attributes;
    byte[] block = new byte[BLOCK];
    text(block, 0, 100, path);
    number(block, 100, 8, attributes.mode());
    number(block, 108, 8, Math.clamp(attributes.user(), 0, MAXIMUM_ID));
    number(block, 116, 8, Math.clamp(attributes.group(), 0, MAXIMUM_ID));
    number(block, 124, 12, size);
    number(block, 136, 12, Math.clamp(attributes.modifiedSeconds(), 0, MAXIMUM_TIME));
    block[156] = (byte) type;
    text(block, 157, 100, link);
    text(block, 257, 8, "ustar  ");
    number(block, 329, 8, inode.deviceMajor);
    number(block, 337, 8, inode.deviceMinor);
    sum(block);
    return block;
  }

  private void extendedAttributes(Map<String, byte[]> attributes) throws IOException {
    ByteArrayOutputStream records = new ByteArrayOutputStream();
    for (Map.Entry<String, byte[]> attribute : attributes.entrySet()) {
      if (isKept(attribute.getKey())) {
        String value = Base64.getEncoder().withoutPadding().encodeToString(attribute.getValue());
        records.writeBytes(record("LIBARCHIVE.xattr." + attribute.getKey(), value));
      }
    }
    if (records.size() > 0) {
      special('x', records.toByteArray());
    }
  }

  /**
   * Squashfs knows these three name spaces only. Overlayfs's own attributes would let an image
   * steer the overlay that it becomes the lower layer of.
   */
  static boolean isKept(String name) {
    return (name.startsWith("user.") || name.startsWith("trusted.") || name.startsWith("security."))
        && !name.startsWith("user.overlay.")
        && !name.startsWith("trusted.overlay.")
        && name.indexOf('\n') < 0;
  }

  private static byte[] record(String key, String value) {
    String rest = " " + key + "=" + value + "\n";
    int length = rest.length() + 1;
    while (length != rest.length() + Integer.toString(length).length()) {
      length = rest.length() + Integer.toString(length).length();
    }
    return (length + rest).getBytes(ISO_8859_1);
  }

  private void longText(char type, String text) throws IOException {
    byte[] bytes = text.getBytes(ISO_8859_1);
    special(type, Arrays.copyOf(bytes, bytes.length + 1));
  }

  private void special(char type, byte[] content) throws IOException {
    byte[] block = new byte[BLOCK];
    text(block, 0, 100, "././@LongLink");
    number(block, 100, 8, 0644);
    number(block, 108, 8, 0);
    number(block, 116, 8, 0);
    number(block, 124, 12, content.length);
    number(block, 136, 12, 0);
    block[156] = (byte) type;
    text(block, 257, 8, "ustar  ");
    sum(block);
    output.write(block);
    output.write(content);
    padding(content.length);
  }

  private static void text(byte[] block, int offset, int length, String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    System.arraycopy(bytes, 0, block, offset, Math.min(length, bytes.length));
  }

  private static void number(byte[] block, int offset, int length, long value) {
    if (value >>> (3 * (length - 1)) == 0) {
      long rest = value;
      for (int i = offset + length - 2; i >= offset; i--) {
        block[i] = (byte) ('0' + (rest & 7));
        rest >>>= 3;
      }
      return;
    }
    long rest = value;
    for (int i = offset + length - 1; i > offset; i--) {
      block[i] = (byte) rest;
      rest >>>= 8;
    }
    block[offset] = (byte) 0x80;
  }

  private static void sum(byte[] block) {
    Arrays.fill(block, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte octet : block) {
      sum += octet & 0xff;
    }
    number(block, 148, 7, sum);
    block[154] = 0;
    block[155] = ' ';
  }
}
