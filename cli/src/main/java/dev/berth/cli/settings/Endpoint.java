package dev.berth.cli.settings;

import java.net.InetAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An IP address, written as digits, and a port. */
public record Endpoint(String address, int port) {
  private static final Pattern FORM = Pattern.compile("\\[?([0-9a-fA-F.:]+?)\\]?:(\\d{1,5})");
  private static final int HIGHEST_PORT = 65_535;

  /** Empty when the text is none. */
  static Optional<Endpoint> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int port = Integer.parseInt(matcher.group(2));
    try {
      String address = InetAddress.ofLiteral(matcher.group(1)).getHostAddress();
      return port >= 1 && port <= HIGHEST_PORT
          ? Optional.of(new Endpoint(address, port))
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
