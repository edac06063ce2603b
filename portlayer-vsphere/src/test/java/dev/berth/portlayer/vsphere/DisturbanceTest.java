package dev.berth.portlayer.vsphere;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.contract.ProcessSpecs;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.vsphere.lab.BootedVch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A containerVM while its host, its vCenter or its place changes under it. */
@Tag("vm")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class DisturbanceTest {
  private static final long MEBIBYTE = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String ID = "vm-1";
  private static final String COUNTER =
      "echo begun $(cat /secret/word) $(cat /data/kept 2>/dev/null); echo kept > /data/kept; sync; "
          + "i=0; while true; do i=$((i + 1)); echo $i; sleep 0.1; done";

  private final BootedVch vch = new BootedVch();

  @AfterEach
  void close() {
    vch.close();
  }

  private FilesVolume secret() {
    return new FilesVolume(
        "secret",
        List.of(new FilesVolume.Entry("word", "a-word".getBytes(StandardCharsets.UTF_8), 0400)),
        OptionalInt.empty(),
        OptionalInt.empty());
  }

  private static ProcessSpecs counter() {
    return ProcessSpecs.shell(COUNTER)
        .withMounts(
            new Mount("/secret", new Source.Files("secret"), true, ""),
            new Mount("/data", new Source.Disk("data"), false, ""));
  }

  private void start() {
    VspherePortLayer layer = vch.portLayer();
    Image image =
        layer.storage().pullImage(new ImageRequest(vch.push("image"), List.of(), PATIENCE));
    DiskAttachment scratch = layer.storage().createDisk("scratch", Role.SCRATCH, 64 * MEBIBYTE);
    DiskAttachment data = layer.storage().createDisk("data", Role.VOLUME, 16 * MEBIBYTE);
    ContainerVmSpec vm =
        new ContainerVmSpec(
            ID,
            "guest",
            new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
            image.id(),
            List.of(image.disk(), scratch, data),
            List.of(layer.network().createEndpoint("nic", "pods")),
            Map.of());
    layer
        .compute()
        .create(
            new GroupSpec(
                "group", "test/pod", Placement.anywhereTogether(), List.of(vm), Map.of()));
    attempt(0);
    assertInstanceOf(Running.class, observe().process());
  }

  private void attempt(int attempt) {
    vch.portLayer()
        .compute()
        .powerOn(
            "group",
            List.of(new InitialProcess(ID, attempt, counter().build(), List.of(secret()))),
            PATIENCE);
  }

  private ContainerVm observe() {
    return vch.portLayer().compute().find("group").orElseThrow().members().getFirst();
  }

  /** The lines of a log that is followed, each of which is the one after that before. */
  private static final class Follower {
    private final LogReader reader;
    private int last;

    Follower(LogReader reader) {
      this.reader = reader;
    }

    void readTo(int wanted) {
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (last < wanted) {
        assertTrue(System.nanoTime() < end, () -> "the log stays at " + last);
        LogLine line = reader.next(Duration.ofSeconds(5));
        if (line != null) {
          String text = new String(line.content(), StandardCharsets.UTF_8);
          if (!text.startsWith("begun")) {
            assertEquals(last + 1, Integer.parseInt(text), "no line is lost and none is twice");
            last++;
          }
        }
      }
    }
  }

  private LogReader follow(int attempt) {
    return vch.portLayer()
        .interaction()
        .logs(
            ID,
            new LogRequest(
                OptionalInt.of(attempt),
                true,
                Optional.empty(),
                OptionalLong.empty(),
                Optional.empty()));
  }

  private static void type(ProcessSession shell, BufferedReader output, String word)
      throws IOException {
    shell.stdin().write(("echo " + word + "\n").getBytes(StandardCharsets.UTF_8));
    shell.stdin().flush();
    assertEquals(word, output.readLine());
  }

  @Test
  @DisplayName("a move to another host ends no session, loses no line and restarts nothing")
  void migration() throws IOException {
    start();
    Running before = assertInstanceOf(Running.class, observe().process());
    ExecSpec exec = new ExecSpec(List.of("sh"), false, true, Optional.empty());
    try (LogReader log = follow(0);
        ProcessSession shell = vch.portLayer().interaction().exec(ID, exec)) {
      Follower follower = new Follower(log);
      BufferedReader output =
          new BufferedReader(new InputStreamReader(shell.stdout(), StandardCharsets.UTF_8));
      follower.readTo(5);
      type(shell, output, "before");
      vch.migrate();
      type(shell, output, "after");
      follower.readTo(follower.last + 10);
      vch.migrate();
      type(shell, output, "again");
      follower.readTo(follower.last + 10);
    }
    assertEquals(before, observe().process());
  }

  @Test
  @DisplayName("after the failure of its host a VM runs elsewhere, and its process is known lost")
  void hostFailure() {
    start();
    try (LogReader log = follow(0)) {
      new Follower(log).readTo(5);
    }
    String host = vch.host();
    vch.lab().failHost(host);
    await().atMost(PATIENCE).until(() -> observe().process() instanceof Exited);
    Exited lost = assertInstanceOf(Exited.class, observe().process());
    assertEquals(Reason.VM_LOST, lost.reason());
    await().atMost(PATIENCE).until(() -> observe().ready());
    attempt(1);
    try (LogReader log = follow(1)) {
      LogLine first = null;
      while (first == null) {
        first = log.next(PATIENCE);
      }
      assertEquals("begun a-word kept", new String(first.content(), StandardCharsets.UTF_8));
      new Follower(log).readTo(5);
    }
    assertEquals(List.of(lost), observe().history());
  }

  @Test
  @DisplayName("while vCenter is away everything goes on, and afterwards all is known")
  void outage() throws IOException {
    start();
    ContainerVm before = observe();
    ExecSpec exec = new ExecSpec(List.of("sh"), false, true, Optional.empty());
    try (LogReader log = follow(0);
        ProcessSession shell = vch.portLayer().interaction().exec(ID, exec)) {
      Follower follower = new Follower(log);
      BufferedReader output =
          new BufferedReader(new InputStreamReader(shell.stdout(), StandardCharsets.UTF_8));
      follower.readTo(5);
      vch.lab().outage("refuse", 15);
      type(shell, output, "during");
      assertEquals(before, observe());
      follower.readTo(follower.last + 200);
    }
    vch.portLayer().compute().stopProcess(ID, Duration.ZERO);
    assertInstanceOf(Exited.class, observe().process());
    attempt(1);
    assertEquals(1, assertInstanceOf(Running.class, observe().process()).attempt());
  }
}
