package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogLine.Stream;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.provider.api.PodDirectory.ContainerTarget;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Every option of containerLogs. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ContainerLogsTest {
  private static final Logger LOG = LoggerFactory.getLogger(ContainerLogsTest.class);
  private static final String LOGS = "/containerLogs/default/web/app";
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.000000078Z");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path directory;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.open(directory);
    write(Stream.STDOUT, "one", false);
    write(Stream.STDERR, "two", false);
    write(Stream.STDOUT, "thr", true);
    write(Stream.STDOUT, "ee", false);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private void write(Stream stream, String text, boolean partial) {
    server.containers.log.add(new LogLine(TIME, stream, text.getBytes(UTF_8), partial));
  }

  @ParameterizedTest
  @CsvSource(
      value = {
        "'' | one~two~three~",
        "?stream=All | one~two~three~",
        "?stream=Stdout | one~three~",
        "?stream=Stderr | two~",
        "?tailLines=2 | three~",
        "?tailLines=0 | ''",
        "?tail=all | one~two~three~",
        "?limitBytes=6 | one~tw",
        "?limitBytes=1000 | one~two~three~",
        "?timestamps=true&limitBytes=33 | 2026-01-02T03:04:05.000000078Z on",
        "?timestamps=false | one~two~three~",
      },
      delimiter = '|')
  void optionsShapeTheOutput(String query, String expected) throws Exception {
    HttpResponse<String> response = server.get(LOGS + query);
    assertEquals(200, response.statusCode());
    assertEquals(expected.replace('~', '\n'), response.body());
  }

  @Test
  void timestampsStandOnlyAtTheBeginningOfLines() throws Exception {
    String stamp = "2026-01-02T03:04:05.000000078Z ";
    assertEquals(
        stamp + "one\n" + stamp + "two\n" + stamp + "three\n",
        server.get(LOGS + "?timestamps=true").body());
  }

  @Test
  void sinceIsPassedOn() throws Exception {
    server.get(LOGS + "?sinceTime=2026-01-01T00:00:00%2B01:00");
    assertEquals(
        Instant.parse("2025-12-31T23:00:00Z"),
        server.containers.logRequests.getFirst().since().orElseThrow());
    server.get(LOGS + "?sinceSeconds=60");
    Instant since = server.containers.logRequests.getLast().since().orElseThrow();
    assertTrue(Duration.between(since, Instant.now()).toSeconds() >= 60);
  }

  @ParameterizedTest
  @CsvSource({
    "tailLines=-1,422",
    "limitBytes=0,422",
    "sinceSeconds=0,422",
    "stream=Both,422",
    "stream=Stdout&tailLines=1,422",
    "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z,422",
    "tailLines=x,400",
    "sinceTime=yesterday,400"
  })
  void unfitOptionsAreRefusedAsTheKubeletDoes(String query, int status) throws Exception {
    HttpResponse<String> response = server.get(LOGS + "?" + query);
    assertEquals(status, response.statusCode());
    assertEquals(
        status == 422
            ? "{\"message\": \"Invalid request.\"}"
            : "{\"message\": \"Unable to decode query.\"}",
        response.body());
  }

  @Test
  void whatIsNotThereIsSaidSo() throws Exception {
    HttpResponse<String> noPod = server.get("/containerLogs/default/other/app");
    assertEquals(404, noPod.statusCode());
    assertEquals("pod \"other\" does not exist", noPod.body());
    assertEquals(404, server.get("/containerLogs/default/web/other").statusCode());
    HttpResponse<String> previous = server.get(LOGS + "?previous=true");
    assertEquals(400, previous.statusCode());
    assertEquals("previous terminated container \"app\" in pod \"web\" not found", previous.body());
  }

  @Test
  void previousReadsThePreviousAttempt() throws Exception {
    server.pods.target =
        new ContainerTarget("vm-1", false, true, OptionalInt.of(3), OptionalInt.of(2), false);
    assertEquals(200, server.get(LOGS + "?previous=1").statusCode());
    assertEquals(OptionalInt.of(2), server.containers.logRequests.getFirst().attempt());
  }

  @Test
  void containerThatNeverStartedHasNoLog() throws Exception {
    server.pods.target =
        new ContainerTarget("vm-1", false, true, OptionalInt.empty(), OptionalInt.empty(), false);
    HttpResponse<String> response = server.get(LOGS);
    assertEquals(400, response.statusCode());
    assertTrue(response.body().startsWith("container \"app\" in pod \"web\" is waiting to start"));
  }

  @Test
  void followFlushesEachLineAndEndsWithTheContainer() throws Exception {
    server.containers.logOver = false;
    HttpResponse<InputStream> response = open(LOGS + "?follow=true");
    try (InputStream body = response.body()) {
      assertEquals("one\ntwo\nthree\n", new String(body.readNBytes(14), UTF_8));
      write(Stream.STDOUT, "four", false);
      assertEquals("four\n", new String(body.readNBytes(5), UTF_8));
      server.containers.logOver = true;
      assertEquals(-1, body.read());
    }
  }

  @Test
  void clientThatGoesEndsTheFollow() throws Exception {
    server.containers.logOver = false;
    try (InputStream body = open(LOGS + "?follow=true").body()) {
      assertEquals('o', body.read());
      assertEquals(1, server.containers.openReaders.get());
    }
    Awaitility.await().atMost(PATIENCE).until(() -> server.containers.openReaders.get() == 0);
  }

  @Test
  void fastLogIsHeldBackByASlowClientAndGivenQuickly() throws Exception {
    var given = new AtomicLong();
    long lines = 1_000_000;
    server.containers.preparedReader = endless(given, lines);
    try (InputStream body = open(LOGS).body()) {
      assertEquals('x', body.read());
      long settled = settle(given);
      assertTrue(settled < lines / 2, "read ahead of the client: " + settled + " lines");
      long begin = System.nanoTime();
      long rest = body.transferTo(java.io.OutputStream.nullOutputStream());
      double seconds = (System.nanoTime() - begin) / 1e9;
      assertEquals(lines * 100 - 1, rest);
      LOG.info("log throughput: {} MB/s", Math.round(rest / 1e6 / seconds));
    }
  }

  /** Waits until the count stands still. */
  private static long settle(AtomicLong count) {
    var last = new AtomicLong(-1);
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(500))
        .until(() -> last.getAndSet(count.get()) == count.get());
    return count.get();
  }

  private static LogReader endless(AtomicLong given, long lines) {
    byte[] content = "x".repeat(99).getBytes(UTF_8);
    return new LogReader() {
      @Override
      public @Nullable LogLine next(Duration timeout) {
        return ended()
            ? null
            : new LogLine(TIME.plusNanos(given.getAndIncrement()), Stream.STDOUT, content, false);
      }

      @Override
      public boolean ended() {
        return given.get() >= lines;
      }

      @Override
      public void close() {}
    };
  }

  private HttpResponse<InputStream> open(String path) throws IOException, InterruptedException {
    HttpResponse<InputStream> response =
        server.client.send(server.request(path), HttpResponse.BodyHandlers.ofInputStream());
    assertEquals(200, response.statusCode());
    assertFalse(response.headers().firstValue("content-length").isPresent());
    return response;
  }
}
