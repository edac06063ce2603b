package dev.berth.portlayer.image.registry;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One way to authenticate that a registry offers in a {@code WWW-Authenticate} header.
 *
 * @param scheme in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s*,?\\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\\s*=\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^\\s,\"]*)))?");

  /** All challenges of all headers, in order. */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> challenges = new ArrayList<>();
    for (String header : headers) {
      Matcher matcher = TOKEN.matcher(header);
      while (matcher.lookingAt()) {
        String value = matcher.group(2) != null ? unquote(matcher.group(2)) : matcher.group(3);
        String word = matcher.group(1).toLowerCase(Locale.ROOT);
        if (value == null) {
          challenges.add(new Challenge(word, new HashMap<>()));
        } else if (!challenges.isEmpty()) {
          challenges.getLast().parameters().put(word, value);
        }
        matcher.region(matcher.end(), header.length());
      }
    }
    return challenges;
  }

  private static String unquote(String quoted) {
    return quoted.replaceAll("\\\\(.)", "$1");
  }

  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }
}
