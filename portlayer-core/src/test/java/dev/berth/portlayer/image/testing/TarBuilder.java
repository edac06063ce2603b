package dev.berth.portlayer.image.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes tar archives byte by byte, valid ones and others, as builders of images do. */
public final class TarBuilder {
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final Map<String, byte[]> pax = new LinkedHashMap<>();
  private long user;
  private long group;
  private int mode = -1;
  private long modified = 1_700_000_000;

  /** Adds a PAX record to the next entry. */
  public TarBuilder pax(String key, byte[] value) {
    pax.put(key, value);
    return this;
  }

  public TarBuilder xattr(String name, byte[] value) {
    return pax("SCHILY.xattr." + name, value);
  }

  /** Of the next entry only. */
  public TarBuilder mode(int value) {
    mode = value;
    return this;
  }

  /** Of all entries from now on. */
  public TarBuilder owner(long newUser, long newGroup) {
    user = newUser;
    group = newGroup;
    return this;
  }

  /** Of all entries from now on. */
  public TarBuilder modified(long seconds) {
    modified = seconds;
    return this;
  }

  public TarBuilder file(String path, String content) {
    return file(path, content.getBytes(UTF_8));
  }

  public TarBuilder file(String path, byte[] content) {
    return entry(path, '0', "", content, 0, 0);
  }

  public TarBuilder directory(String path) {
    return entry(path + "/", '5', "", new byte[0], 0, 0);
  }

  public TarBuilder symbolicLink(String path, String target) {
    return entry(path, '2', target, new byte[0], 0, 0);
  }

  public TarBuilder hardLink(String path, String target) {
    return entry(path, '1', target, new byte[0], 0, 0);
  }

  public TarBuilder characterDevice(String path, int major, int minor) {
    return entry(path, '3', "", new byte[0], major, minor);
  }

  public TarBuilder blockDevice(String path, int major, int minor) {
    return entry(path, '4', "", new byte[0], major, minor);
  }

  public TarBuilder fifo(String path) {
    return entry(path, '6', "", new byte[0], 0, 0);
  }

  /** An entry of any type; names of 100 bytes and more go into PAX records. */
  public TarBuilder entry(
      String path, char type, String link, byte[] content, int major, int minor) {
    if (path.getBytes(UTF_8).length > 100) {
      pax.putIfAbsent("path", path.getBytes(UTF_8));
    }
    if (link.getBytes(UTF_8).length > 100) {
      pax.putIfAbsent("linkpath", link.getBytes(UTF_8));
    }
    if (!pax.isEmpty()) {
      ByteArrayOutputStream records = new ByteArrayOutputStream();
      pax.forEach((key, value) -> records.writeBytes(record(key, value)));
      pax.clear();
      raw(header("PaxHeader", 'x', "", records.size(), 0, 0), records.toByteArray());
    }
    return raw(header(path, type, link, content.length, major, minor), content);
  }

  /** A header as it is, and content padded to blocks. */
  public TarBuilder raw(byte[] header, byte[] content) {
    output.writeBytes(header);
    output.writeBytes(Arrays.copyOf(content, (content.length + 511) / 512 * 512));
    return this;
  }

  public byte[] header(String path, char type, String link, long size, int major, int minor) {
    byte[] header = new byte[512];
    text(header, 0, 100, path.getBytes(UTF_8));
    int bits = mode >= 0 ? mode : type == '5' ? 0755 : 0644;
    mode = type == 'x' ? mode : -1;
    octal(header, 100, 8, bits);
    octal(header, 108, 8, user);
    octal(header, 116, 8, group);
    octal(header, 124, 12, size);
    octal(header, 136, 12, modified);
    header[156] = (byte) type;
    text(header, 157, 100, link.getBytes(UTF_8));
    text(header, 257, 8, "ustar\00000".getBytes(ISO_8859_1));
    octal(header, 329, 8, major);
    octal(header, 337, 8, minor);
    return sum(header);
  }

  /** Puts a header's checksum right. */
  public static byte[] sum(byte[] header) {
    Arrays.fill(header, 148, 156, (byte) ' ');
    int sum = 0;
    for (byte octet : header) {
      sum += octet & 0xff;
    }
    octal(header, 148, 7, sum);
    return header;
  }

  private static void text(byte[] header, int offset, int length, byte[] text) {
    System.arraycopy(text, 0, header, offset, Math.min(length, text.length));
  }

  public static void octal(byte[] header, int offset, int length, long value) {
    String digits = Long.toOctalString(value);
    text(
        header,
        offset,
        length,
        ("0".repeat(Math.max(0, length - 1 - digits.length())) + digits).getBytes(ISO_8859_1));
  }

  private static byte[] record(String key, byte[] value) {
    byte[] start = (" " + key + "=").getBytes(UTF_8);
    int rest = start.length + value.length + 1;
    int length = rest + 1;
    while (length != rest + Integer.toString(length).length()) {
      length = rest + Integer.toString(length).length();
    }
    ByteArrayOutputStream record = new ByteArrayOutputStream();
    record.writeBytes(Integer.toString(length).getBytes(ISO_8859_1));
    record.writeBytes(start);
    record.writeBytes(value);
    record.write('\n');
    return record.toByteArray();
  }

  /** The archive so far, ended. */
  public byte[] build() {
    ByteArrayOutputStream ended = new ByteArrayOutputStream();
    ended.writeBytes(output.toByteArray());
    ended.writeBytes(new byte[1024]);
    return ended.toByteArray();
  }

  /** The archive so far, without its end blocks. */
  public byte[] unended() {
    return output.toByteArray();
  }
}
