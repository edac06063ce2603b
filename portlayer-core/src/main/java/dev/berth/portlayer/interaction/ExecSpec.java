package dev.berth.portlayer.interaction;

import java.util.List;
import java.util.Optional;

/**
 * Another process in a container, with the user, environment and limits of its first one.
 *
 * @param arguments the program and its arguments; at least one
 * @param terminal whether it gets a terminal; then stderr is empty
 * @param stdin whether it has an input
 * @param size the terminal's first size
 */
public record ExecSpec(
    List<String> arguments, boolean terminal, boolean stdin, Optional<TerminalSize> size) {
  public ExecSpec {
    arguments = List.copyOf(arguments);
    if (arguments.isEmpty()) {
      throw new IllegalArgumentException("exec needs a command");
    }
  }

  /** Columns and rows of a terminal. */
  public record TerminalSize(int columns, int rows) {}
}
