package dev.berth.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** Where the {@code berth} command begins. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    PrintWriter output = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter errors = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(BerthCommand.run(output, errors, arguments));
  }
}
