package dev.berth.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A process that goes on after its command")
class SupervisedProcessTest {
  private static final List<String> COMMAND = List.of("sleep", "600");

  @TempDir private Path directory = Path.of("");

  @BeforeEach
  void makeDirectories() throws IOException {
    Files.createDirectories(directory.resolve("run"));
    Files.createDirectories(directory.resolve("logs"));
  }

  @AfterEach
  void stop() {
    process().stop();
  }

  private SupervisedProcess process() {
    return new SupervisedProcess("sleeper", directory);
  }

  private long start(List<String> command) {
    process().start(command, Duration.ofSeconds(30), () -> true);
    return process().running().orElseThrow().pid();
  }

  @Test
  @DisplayName("is known again by its command line only")
  void known() {
    assertFalse(process().runs(COMMAND));
    start(COMMAND);
    assertTrue(process().runs(COMMAND));
    assertFalse(process().runs(List.of("sleep", "601")));
    process().stop();
    assertFalse(process().runs(COMMAND));
  }

  @Test
  @DisplayName("gives way to one with another command line")
  void replaced() {
    long first = start(COMMAND);
    long second = start(List.of("sleep", "601"));
    assertNotEquals(first, second);
    assertEquals(second, process().running().orElseThrow().pid());
    assertFalse(ProcessHandle.of(first).filter(SupervisedProcess::lives).isPresent());
  }
}
