package dev.berth.cli;

/**
 * A command cannot do what it was asked. The message is for the user: what is wrong and how to mend
 * it. It never holds a secret.
 */
public final class CommandFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Exit code when the command was called wrongly. */
  public static final int USAGE = 2;

  /** Exit code of any other failure. */
  public static final int FAILURE = 1;

  private final int exitCode;

  private CommandFailure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  /** The flags or the configuration are wrong. */
  public static CommandFailure usage(String message) {
    return new CommandFailure(USAGE, message);
  }

  /** Something else is wrong. */
  public static CommandFailure of(String message) {
    return new CommandFailure(FAILURE, message);
  }

  public int exitCode() {
    return exitCode;
  }
}
