package dev.berth.portlayer;

import java.util.regex.Pattern;

/**
 * The rule for every identity that a caller gives: it becomes a file name, a VM name and a
 * certificate's name.
 */
public final class Identifiers {
  private static final Pattern VALID = Pattern.compile("[a-z0-9]([a-z0-9.-]{0,126}[a-z0-9])?");

  private Identifiers() {}

  /**
   * Returns {@code value} when it is 1 to 128 lower-case letters, digits, dots and dashes and
   * begins and ends with a letter or a digit.
   *
   * @throws PortLayerException INVALID_ARGUMENT otherwise
   */
  public static String check(String field, String value) {
    if (!VALID.matcher(value).matches()) {
      throw new PortLayerException(
          PortLayerException.Code.INVALID_ARGUMENT,
          "%s \"%s\": must be 1 to 128 lower-case letters, digits, dots or dashes, and begin and end with a letter or digit"
              .formatted(field, value));
    }
    return value;
  }
}
