package dev.berth.provider.translate;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Variable references in the way of Kubernetes: {@code $(NAME)}, and {@code $$} for a dollar. */
final class Expansion {
  private Expansion() {}

  /** Replaces every reference; one to an unknown name stays as it is. */
  static String expand(String text, Map<String, String> values) {
    return expand(text, name -> values.getOrDefault(name, "$(" + name + ")"));
  }

  /**
   * Replaces every reference, as for {@code subPathExpr}.
   *
   * @param what is being expanded, for the message
   * @throws ConfigurationException when a name is unknown or its value empty
   */
  static String expandStrictly(String text, Map<String, String> values, String what) {
    return expand(
        text,
        name ->
            Optional.ofNullable(values.get(name))
                .filter(value -> !value.isEmpty())
                .orElseThrow(
                    () ->
                        new ConfigurationException(
                            "failed to expand %s: missing value for \"%s\""
                                .formatted(what, name))));
  }

  private static String expand(String text, Function<String, String> values) {
    StringBuilder result = new StringBuilder(text.length());
    int position = 0;
    while (position < text.length()) {
      char character = text.charAt(position);
      if (character != '$' || position + 1 == text.length()) {
        result.append(character);
        position++;
      } else {
        position = reference(text, position + 1, values, result);
      }
    }
    return result.toString();
  }

  /** Reads what follows a dollar and returns the position behind it. */
  private static int reference(
      String text, int position, Function<String, String> values, StringBuilder result) {
    char character = text.charAt(position);
    if (character == '$') {
      result.append('$');
      return position + 1;
    }
    int end = character == '(' ? text.indexOf(')', position) : -1;
    if (end < 0) {
      result.append('$').append(character);
      return position + 1;
    }
    result.append(values.apply(text.substring(position + 1, end)));
    return end + 1;
  }
}
