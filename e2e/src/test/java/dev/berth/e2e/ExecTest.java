package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@DisplayName("kubectl exec")
class ExecTest {
  private final Installation berth;

  ExecTest(Installation berth) {
    this.berth = berth;
  }

  @BeforeAll
  void pod() {
    berth.apply(Installation.script("target", "sleep 100000"));
    berth.awaitPhase("target", "Running");
  }

  @AfterAll
  void clean() {
    berth.delete("target");
  }

  private Command exec(String... command) {
    String[] all = new String[command.length + 4];
    System.arraycopy(new String[] {"exec", "-i", "target", "--"}, 0, all, 0, 4);
    System.arraycopy(command, 0, all, 4, command.length);
    return berth.kubectl(all);
  }

  @Test
  @DisplayName("hands on exit codes, and says when a command is not found")
  void exitCodes() {
    exec("true").run().expect(0);
    exec("false").run().expect(1);
    exec("sh", "-c", "kill -9 $$").run().expect(137);
    Command.Result missing = exec("no-such-command").run();
    assertTrue(missing.exitCode() != 0, missing.error());
    assertTrue(
        missing.error().contains("no-such-command") && missing.error().contains("not found"),
        missing.error());
    Command.Result both = exec("sh", "-c", "echo out; echo err >&2").run().expect(0);
    assertEquals("out\n", both.output());
    assertEquals("err\n", both.error());
  }

  @Test
  @DisplayName("carries a long stream in and out unchanged")
  void stream() throws Exception {
    byte[] bytes = new byte[Backend.CHOSEN.load().streamBytes()];
    new Random(42).nextBytes(bytes);
    byte[] back = exec("cat").input(bytes).deadline(Duration.ofMinutes(3)).run().expect(0).bytes();
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    assertArrayEquals(sha.digest(bytes), sha.digest(back));
    String inside =
        exec("sha256sum").input(bytes).deadline(Duration.ofMinutes(3)).run().expect(0).output();
    assertEquals(HexFormat.of().formatHex(sha.digest(bytes)), inside.split(" ", 2)[0]);
  }

  @Test
  @DisplayName("gives a terminal that knows its size and its changes")
  void terminal() {
    // The shell inside goes on only when it sees each size, which follows its start.
    String kubectl =
        "kubectl exec -it target -- sh -c 'for size in \"33 111\" \"44 122\"; do until stty size | grep \"$size\"; do usleep 50000; done; done'";
    Command.Result result =
        berth
            .inNamespace(
                "env",
                "KUBECONFIG=" + berth.directory().resolve("kubeconfig"),
                "PATH="
                    + Path.of(berth.command("kubectl")).getParent()
                    + ":/usr/sbin:/usr/bin:/sbin:/bin",
                "python3",
                "-c",
                """
                import fcntl, os, pty, struct, sys, termios, time, select, signal
                pid, fd = pty.fork()
                if pid == 0:
                    os.execvp("sh", ["sh", "-c", sys.argv[1]])
                def size(rows, columns):
                    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                    os.kill(pid, signal.SIGWINCH)
                def until(text):
                    seen, end = b"", time.time() + 30
                    while text not in seen and time.time() < end:
                        if select.select([fd], [], [], 1)[0]:
                            try: seen += os.read(fd, 4096)
                            except OSError: break
                    return seen
                size(33, 111)
                seen = until(b"33 111")
                size(44, 122)
                seen += until(b"44 122")
                sys.stdout.buffer.write(seen)
                """,
                kubectl)
            .deadline(Duration.ofSeconds(90))
            .run();
    assertTrue(result.output().contains("44 122"), result.output() + result.error());
  }

  @Test
  @DisplayName("runs 20 at once")
  void twenty() throws Exception {
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> all =
          executor.invokeAll(
              IntStream.range(0, 20)
                  .<Callable<String>>mapToObj(
                      number ->
                          () ->
                              exec("sh", "-c", "sleep 1; cat; echo " + number)
                                  .input("in" + number + "\n")
                                  .deadline(Duration.ofMinutes(2))
                                  .run()
                                  .expect(0)
                                  .output())
                  .toList());
      for (int number = 0; number < 20; number++) {
        assertEquals("in%d\n%d\n".formatted(number, number), all.get(number).get());
      }
    }
  }

  @Test
  @DisplayName("lets kubectl cp copy both ways")
  void copy(@TempDir Path folder) throws IOException {
    byte[] bytes = new byte[Backend.CHOSEN.load().copyBytes()];
    new Random(7).nextBytes(bytes);
    Files.write(folder.resolve("there"), bytes);
    berth.kubectl("cp", folder.resolve("there").toString(), "target:/tmp/there").run().expect(0);
    berth.kubectl("cp", "target:/tmp/there", folder.resolve("back").toString()).run().expect(0);
    assertArrayEquals(bytes, Files.readAllBytes(folder.resolve("back")));
  }

  @Test
  @DisplayName("attach sees what the process writes from now on")
  void attach() {
    berth.apply(Installation.script("ticking", "while true; do echo tick; sleep 1; done"));
    berth.awaitPhase("ticking", "Running");
    Process attached = berth.kubectl("attach", "ticking").start();
    try {
      StringBuilder seen = new StringBuilder();
      Thread.ofVirtual()
          .start(
              () -> {
                try (var reader = attached.inputReader(StandardCharsets.UTF_8)) {
                  reader.lines().forEach(line -> seen.append(line).append('\n'));
                } catch (IOException e) {
                  seen.append(e);
                }
              });
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.toString().contains("tick\ntick"));
    } finally {
      attached.destroyForcibly();
      berth.delete("ticking");
    }
  }
}
