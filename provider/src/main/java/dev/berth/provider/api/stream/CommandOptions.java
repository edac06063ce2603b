package dev.berth.provider.api.stream;

/** Which streams a client of exec or attach asked for. */
public record CommandOptions(boolean stdin, boolean stdout, boolean stderr, boolean terminal) {
  /** A terminal has one output, so a wish for stderr beside it is passed over. */
  public CommandOptions {
    stderr = stderr && !terminal;
  }
}
