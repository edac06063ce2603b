package dev.berth.portlayer.vsphere.interaction;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.CriLog;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logs on a datastore of the lab, which the test writes as a hypervisor does. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class DatastoreLogSourceTest {
  private static final String TIME = "2026-01-02T03:04:05.000000006Z";
  private static final LogRequest FOLLOW =
      new LogRequest(
          OptionalInt.empty(), true, Optional.empty(), OptionalLong.empty(), Optional.empty());

  private final TestLab lab;
  private final VimClient client;
  private final PropertyStream stream;
  private final DatastoreFiles files;
  private final LogPolls polls = new LogPolls();
  private final DatastorePath path;
  private final Path file;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private volatile boolean over;

  DatastoreLogSourceTest(TestLab lab) {
    this.lab = lab;
    VimSettings settings = lab.settings();
    client =
        VimClient.connect(
            new VimSettings(
                settings.url(),
                settings.trust(),
                settings.credentials(),
                settings.connectTimeout(),
                Duration.ofSeconds(2),
                Duration.ofMillis(500),
                settings.updateWait()));
    stream = PropertyStream.open(client, List.of(), (following, changed) -> {});
    ManagedObjectReference datastore = LabFolder.find(client, "DC0/datastore/LocalDS_0");
    files = new DatastoreFiles(client, stream, LabFolder.find(client, "DC0"), "DC0", datastore);
    path = files.root().resolve("logs " + UUID.randomUUID()).resolve("container.log");
    file =
        Path.of(
                client
                    .property(datastore, "summary", GenericObject.class)
                    .orElseThrow()
                    .text("url"))
            .resolve(path.path());
  }

  @BeforeEach
  void makeFolder() throws IOException {
    lab.reset();
    Files.createDirectories(file.getParent());
  }

  @AfterEach
  void close() throws IOException {
    lab.reset();
    threads.shutdownNow();
    Files.deleteIfExists(file);
    Files.delete(file.getParent());
    stream.close();
    client.close();
  }

  private void append(String text) {
    append(text.getBytes(StandardCharsets.UTF_8));
  }

  private void append(byte[] bytes) {
    try {
      Files.write(file, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void attempt(int number) {
    append("%s berth F attempt %d\n".formatted(TIME, number));
  }

  private static String line(String text) {
    return "%s stdout F %s\n".formatted(TIME, text);
  }

  private DatastoreLogSource source(Duration patience) {
    return new DatastoreLogSource(files, path, polls, patience);
  }

  private LogReader open(LogRequest request) {
    Duration patience = request.follow() ? DatastoreLogSource.FOLLOWING : Duration.ZERO;
    return CriLog.open(
        source(patience),
        request,
        new CriLog.Attempts() {
          @Override
          public OptionalInt last() {
            return OptionalInt.of(0);
          }

          @Override
          public boolean isOver(int attempt) {
            return over;
          }
        });
  }

  private static List<String> readAll(LogReader reader) {
    return readInto(new ArrayList<>(), reader);
  }

  private static List<String> readInto(List<String> lines, LogReader reader) {
    try (reader) {
      while (!reader.ended()) {
        LogLine line = reader.next(Duration.ofMillis(500));
        if (line != null) {
          lines.add(new String(line.content(), StandardCharsets.UTF_8));
        }
      }
      return lines;
    }
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj("line %d"::formatted).toList();
  }

  @Test
  void whatIsThereIsRead() {
    attempt(0);
    numbers(20_000).forEach(text -> append(line(text)));

    assertEquals(numbers(20_000), readAll(open(LogRequest.all())));
    LogRequest tail =
        new LogRequest(
            OptionalInt.empty(), false, Optional.empty(), OptionalLong.of(2), Optional.empty());
    assertEquals(List.of("line 19998", "line 19999"), readAll(open(tail)));
  }

  @Test
  void aFileThatIsNotThereIsAnEmptyLog() {
    try (DatastoreLogSource source = source(Duration.ZERO)) {
      assertEquals(0, source.size());
      assertEquals(0, source.read(0, ByteBuffer.allocate(10)));
      assertFalse(source.awaitGrowth(0, Duration.ofMillis(10)));
      append("now");
      assertTrue(source.awaitGrowth(0, Duration.ofMinutes(1)));
      assertEquals(3, source.read(0, ByteBuffer.allocate(10)));
    }
    assertEquals(List.of(), readAll(open(LogRequest.all())));
  }

  @Test
  void aLogIsFollowedAsItGrows() throws Exception {
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    CompletableFuture<List<String>> reading =
        CompletableFuture.supplyAsync(() -> readInto(seen, open(FOLLOW)), threads);
    attempt(0);
    Random random = new Random(7);
    StringBuilder text = new StringBuilder();
    numbers(300).forEach(number -> text.append(line(number)));
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at < bytes.length; ) {
      int length = Math.min(bytes.length - at, 1 + random.nextInt(3000));
      append(Arrays.copyOfRange(bytes, at, at + length));
      int known = seen.size();
      boolean whole = length > 100;
      at += length;
      await().until(() -> !whole || seen.size() > known);
    }
    append("%s stdout F torn".formatted(TIME));
    over = true;
    polls.wake(path);

    List<String> expected = new ArrayList<>(numbers(300));
    expected.add("torn");
    assertEquals(expected, reading.get());
  }

  @Test
  void whoWaitsIsWoken() throws Exception {
    append("a");
    try (DatastoreLogSource source = source(Duration.ZERO)) {
      CompletableFuture<Boolean> waiting =
          CompletableFuture.supplyAsync(
              () -> source.awaitGrowth(1, Duration.ofMinutes(10)), threads);
      await().until(() -> source.size() == 1);
      polls.wake(path);
      assertFalse(waiting.get());

      polls.wake(path);
      assertFalse(source.awaitGrowth(1, Duration.ofMinutes(10)), "told while nobody waited");
    }
  }

  @Test
  void severalReadersShareOnePoll() throws Exception {
    append("a");
    lab.fault(Map.of("path", "HEAD /folder/", "nth", 1_000_000));
    List<DatastoreLogSource> sources =
        IntStream.range(0, 20).mapToObj(i -> source(Duration.ZERO)).toList();
    List<CompletableFuture<Boolean>> waiting =
        sources.stream()
            .map(
                source ->
                    CompletableFuture.supplyAsync(
                        () -> source.awaitGrowth(1, Duration.ofMinutes(1)), threads))
            .toList();
    await().until(() -> lab.matched() >= 4);
    append("b");
    for (CompletableFuture<Boolean> one : waiting) {
      assertTrue(one.get());
    }
    // Each of them alone would have asked as often as one did.
    assertTrue(lab.matched() < 20, () -> lab.matched() + " looks");
    sources.forEach(DatastoreLogSource::close);
  }

  @ParameterizedTest
  @ValueSource(strings = {"refuse", "hang"})
  void aFollowerGoesOnWhenVcenterIsBack(String mode) throws Exception {
    List<String> seen = Collections.synchronizedList(new ArrayList<>());
    attempt(0);
    numbers(100).forEach(text -> append(line(text)));
    CompletableFuture<List<String>> reading =
        CompletableFuture.supplyAsync(() -> readInto(seen, open(FOLLOW)), threads);
    await().until(() -> seen.size() == 100);

    lab.outage(mode, 5);
    PortLayerException e =
        assertThrows(
            PortLayerException.class,
            () -> source(Duration.ZERO).read(0, ByteBuffer.allocate(10)),
            "one that does not follow");
    assertEquals(Code.UNAVAILABLE, e.code());
    numbers(200).subList(100, 200).forEach(text -> append(line(text)));
    over = true;

    assertEquals(numbers(200), reading.get());
  }

  @Test
  void aFollowerGivesUpInTheEnd() {
    append("a");
    try (DatastoreLogSource source = source(Duration.ofSeconds(2))) {
      lab.fault(Map.of("path", "GET /folder/", "way", "broken", "count", -1));
      assertEquals(1, source.size());
      PortLayerException e =
          assertThrows(PortLayerException.class, () -> source.read(0, ByteBuffer.allocate(1)));
      assertEquals(Code.UNAVAILABLE, e.code());
      assertTrue(lab.faults() >= 2, "it was patient");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"broken", "lost", "status"})
  void noLineIsLostOrToldTwiceWhenRequestsFail(String way) throws Exception {
    attempt(0);
    numbers(30_000).forEach(text -> append(line(text)));
    lab.fault(Map.of("path", "GET /folder/", "way", way, "nth", 2, "count", 4));
    lab.fault(Map.of("path", "HEAD /folder/", "way", way, "nth", 2, "count", 4));
    over = true;

    assertEquals(numbers(30_000), readAll(open(FOLLOW)));
    assertTrue(lab.faults() > 4);
  }

  @Test
  void anEndedSessionIsNoOutage() {
    attempt(0);
    append(line("a"));
    lab.expireSessions();

    assertEquals(List.of("a"), readAll(open(LogRequest.all())));
  }

  @Test
  void noMoreIsAskedForThanIsThere() {
    append("abc");
    lab.fault(Map.of("path", "GET /folder/", "nth", 1_000_000));
    try (DatastoreLogSource source = source(Duration.ZERO)) {
      ByteBuffer target = ByteBuffer.allocate(1000);
      assertEquals(3, source.read(0, target));
      assertEquals(0, source.read(3, target));
      assertEquals(0, source.read(3, target));
      assertEquals("abc", StandardCharsets.UTF_8.decode(target.flip()).toString());
    }
    assertEquals(1, lab.matched());
  }

  @Test
  void theReaderOfALogThatWentIsAtItsEnd() throws IOException {
    append("abc");
    try (DatastoreLogSource source = source(Duration.ZERO)) {
      assertEquals(3, source.size());
      Files.delete(file);
      assertEquals(0, source.read(0, ByteBuffer.allocate(10)));
    }
    assertNull(open(LogRequest.all()).next(Duration.ZERO));
  }
}
