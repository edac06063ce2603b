package dev.berth.provider.translate;

/** Text in quotes as Go's {@code strconv.Quote} writes it, which is what the kubelet writes. */
final class GoQuote {
  private GoQuote() {}

  static String quote(String text) {
    StringBuilder result = new StringBuilder(text.length() + 2).append('"');
    text.codePoints().forEach(code -> append(code, result));
    return result.append('"').toString();
  }

  private static void append(int code, StringBuilder result) {
    switch (code) {
      case '"' -> result.append("\\\"");
      case '\\' -> result.append("\\\\");
      case 0x07 -> result.append("\\a");
      case '\b' -> result.append("\\b");
      case '\f' -> result.append("\\f");
      case '\n' -> result.append("\\n");
      case '\r' -> result.append("\\r");
      case '\t' -> result.append("\\t");
      case 0x0b -> result.append("\\v");
      default -> {
        if (printable(code)) {
          result.appendCodePoint(code);
        } else {
          String format = code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
          result.append(format.formatted(code));
        }
      }
    }
  }

  private static boolean printable(int code) {
    return switch (Character.getType(code)) {
      case Character.SPACE_SEPARATOR -> code == ' ';
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
