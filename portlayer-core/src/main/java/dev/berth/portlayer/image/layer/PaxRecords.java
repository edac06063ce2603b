package dev.berth.portlayer.image.layer;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The records of PAX headers, binary-safe: values are one byte per char (ISO 8859-1). */
final class PaxRecords {
  private static final String SCHILY = "SCHILY.xattr.";
  private static final String LIBARCHIVE = "LIBARCHIVE.xattr.";

  private final Map<String, String> values = new LinkedHashMap<>();

  /** GNU sparse format 0.0 repeats its keys, so their order counts: offset, length, offset, …. */
  private final List<Long> sparsePairs = new ArrayList<>();

  PaxRecords() {}

  /** Copies the global header's records as defaults. */
  PaxRecords(PaxRecords defaults) {
    values.putAll(defaults.values);
  }

  /** Adds {@code length key=value\n} records, later ones winning. */
  void parse(byte[] data) throws CorruptArchiveException {
    int position = 0;
    while (position < data.length) {
      int space = position;
      int length = 0;
      while (space < data.length
          && data[space] >= '0'
          && data[space] <= '9'
          && space < position + 9) {
        length = length * 10 + (data[space] - '0');
        space++;
      }
      int end = position + length;
      if (space >= data.length
          || data[space] != ' '
          || end <= space + 1
          || end > data.length
          || data[end - 1] != '\n') {
        if (allZero(data, position)) {
          return;
        }
        throw new CorruptArchiveException("malformed PAX header");
      }
      add(new String(data, space + 1, end - space - 2, ISO_8859_1));
      position = end;
    }
  }

  private void add(String record) throws CorruptArchiveException {
    int equals = record.indexOf('=');
    if (equals <= 0) {
      throw new CorruptArchiveException("malformed PAX record");
    }
    String key = record.substring(0, equals);
    String value = record.substring(equals + 1);
    if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
      sparsePairs.add(TarNumbers.decimal(value));
    } else if (value.isEmpty() && !key.contains("xattr.")) {
      values.remove(key);
    } else {
      values.put(key, value);
    }
  }

  private static boolean allZero(byte[] data, int from) {
    for (int i = from; i < data.length; i++) {
      if (data[i] != 0) {
        return false;
      }
    }
    return true;
  }

  @Nullable String get(String key) {
    return values.get(key);
  }

  String getOr(String key, String otherwise) {
    return values.getOrDefault(key, otherwise);
  }

  long number(String key, long otherwise) throws CorruptArchiveException {
    String value = values.get(key);
    return value == null ? otherwise : TarNumbers.decimal(value);
  }

  /** Offsets and lengths of sparse format 0.0 or 0.1, or none. */
  List<Long> sparseMap() throws CorruptArchiveException {
    String map = values.get("GNU.sparse.map");
    if (map == null) {
      return sparsePairs;
    }
    List<Long> pairs = new ArrayList<>();
    for (String number : map.split(",", -1)) {
      pairs.add(TarNumbers.decimal(number));
    }
    return pairs;
  }

  /** Extended attributes in either spelling. */
  Map<String, byte[]> extendedAttributes() throws CorruptArchiveException {
    Map<String, byte[]> attributes = new LinkedHashMap<>();
    for (Map.Entry<String, String> entry : values.entrySet()) {
      String key = entry.getKey();
      if (key.startsWith(SCHILY)) {
        attributes.put(key.substring(SCHILY.length()), entry.getValue().getBytes(ISO_8859_1));
      } else if (key.startsWith(LIBARCHIVE)) {
        attributes.putIfAbsent(key.substring(LIBARCHIVE.length()), base64(entry.getValue()));
      }
    }
    return attributes.isEmpty() ? Map.of() : attributes;
  }

  private static byte[] base64(String value) throws CorruptArchiveException {
    try {
      return Base64.getDecoder().decode(value);
    } catch (IllegalArgumentException e) {
      throw new CorruptArchiveException("malformed extended attribute in PAX header");
    }
  }
}
