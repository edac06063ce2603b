package dev.berth.portlayer.local.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.interaction.CriLog;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.local.host.FileWatcher;
import dev.berth.portlayer.local.host.HostCommands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTrimmerTest {
  private static final long KEPT = 256 * 1024;
  private static final String TIME = "2026-01-02T03:04:05.000000006Z";

  @TempDir Path directory;
  private VmFiles files = new VmFiles("vm", Path.of(""), Path.of(""));

  private final LogTrimmer trimmer =
      new LogTrimmer(new HostCommands(Optional.empty()), KEPT, KEPT / 4);

  @BeforeEach
  void begin() throws IOException {
    files = new VmFiles("vm", directory, directory);
    append(TIME + " berth F attempt 0\n");
  }

  private void append(String text) throws IOException {
    Files.writeString(files.log(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  private void lines(int from, int to) throws IOException {
    append(
        IntStream.range(from, to)
            .mapToObj("%s stdout F line %%06d\n".formatted(TIME)::formatted)
            .collect(Collectors.joining()));
  }

  private List<String> read(FileWatcher watcher) {
    List<String> texts = new ArrayList<>();
    try (LogReader reader =
        CriLog.open(new FileLogSource(files, watcher), LogRequest.all(), new Ended())) {
      while (!reader.ended()) {
        LogLine line = reader.next(Duration.ZERO);
        if (line != null) {
          texts.add(new String(line.content(), StandardCharsets.UTF_8));
        }
      }
    }
    return texts;
  }

  /** Of the only attempt. */
  private record Ended() implements CriLog.Attempts {
    @Override
    public OptionalInt last() {
      return OptionalInt.of(0);
    }

    @Override
    public boolean isOver(int attempt) {
      return true;
    }
  }

  private long occupied() {
    List<String> command = List.of("stat", "-c", "%b", files.log().toString());
    return 512 * Long.parseLong(new HostCommands(Optional.empty()).run(command).strip());
  }

  @Test
  void aShortLogStaysWhole() throws IOException {
    lines(0, 1000);
    trimmer.trim(files);
    try (FileWatcher watcher = new FileWatcher()) {
      assertEquals(1000, read(watcher).size());
    }
    assertEquals(0, LogTrimmer.start(files));
  }

  @Test
  void aLongOneKeepsItsLastLinesAndTheirOffsets() throws IOException {
    int written = 0;
    try (FileWatcher watcher = new FileWatcher()) {
      for (int round = 0; round < 5; round++) {
        lines(written, written + 20_000);
        written += 20_000;
        long size = files.log().toFile().length();
        trimmer.trim(files);
        assertEquals(size, files.log().toFile().length());
        assertTrue(occupied() <= KEPT + 64 * 1024, "it occupies " + occupied());

        List<String> texts = read(watcher);
        assertEquals("line %06d".formatted(written - 1), texts.getLast());
        assertEquals("line %06d".formatted(written - texts.size()), texts.getFirst());
        long line = (TIME + " stdout F line 000000\n").length();
        assertTrue(texts.size() >= KEPT / line - 1, texts.size() + " lines are left");
      }
    }
  }
}
