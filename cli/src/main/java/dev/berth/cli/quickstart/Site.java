package dev.berth.cli.quickstart;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * One installation: what it is called, where it is, and whom it tells what it does.
 *
 * @param name of the node, the namespace and the host's link to it
 * @param checkout the source tree whose .berth folder holds what was built
 * @param directory of its state and logs
 * @param boot what containerVMs boot
 */
record Site(String name, Path checkout, Path directory, Path boot, PrintWriter out, long began) {
  static Site of(String name, Path checkout, Path directory, Path boot, PrintWriter out) {
    return new Site(
        name, absolute(checkout), absolute(directory), absolute(boot), out, System.nanoTime());
  }

  private static Path absolute(Path path) {
    return path.toAbsolutePath().normalize();
  }

  /** A program that was built. */
  String program(String program) {
    return checkout.resolve(".berth/bin").resolve(program).toString();
  }

  SupervisedProcess process(String process) {
    return new SupervisedProcess(process, directory);
  }

  void makeDirectories() {
    try {
      Files.createDirectories(directory.resolve("run"));
      Files.createDirectories(directory.resolve("logs"));
    } catch (IOException e) {
      throw new QuickstartException("cannot make " + directory + ": " + e.getMessage(), e);
    }
  }

  void say(String what) {
    out.printf("[%4ds] %s%n", (System.nanoTime() - began) / 1_000_000_000L, what);
    out.flush();
  }
}
