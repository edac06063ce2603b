package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.util.Map;

/** Names of Linux signals. */
final class Signals {
  static final int KILL = 9;
  static final int TERMINATE = 15;

  private static final Map<String, Integer> NUMBERS =
      Map.of(
          "HUP", 1, "INT", 2, "QUIT", 3, "KILL", KILL, "USR1", 10, "USR2", 12, "TERM", TERMINATE,
          "WINCH", 28);

  private Signals() {}

  /** The number of {@code SIGTERM}, {@code TERM} or {@code 15}. */
  static int number(String name) {
    String bare = name.startsWith("SIG") ? name.substring(3) : name;
    Integer number = NUMBERS.get(bare);
    if (number == null && bare.matches("[1-9]|[1-5][0-9]|6[0-4]")) {
      number = Integer.valueOf(bare);
    }
    if (number == null) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT,
          "signal \"%s\": no such signal, use a name such as SIGTERM".formatted(name));
    }
    return number;
  }

  static boolean endsProcess(int signal) {
    return signal != 28 && signal != 17 && signal != 18;
  }
}
