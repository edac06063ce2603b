package dev.berth.portlayer.contract;

import static dev.berth.portlayer.contract.Fixture.assertRefused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import dev.berth.portlayer.compute.ProcessState.Reason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

abstract class MountContract {
  private final Fixture fixture;

  MountContract(Fixture fixture) {
    this.fixture = fixture;
  }

  /** A volume of one file. */
  static FilesVolume files(String volume, String path, String content) {
    return new FilesVolume(
        volume,
        List.of(new FilesVolume.Entry(path, content.getBytes(StandardCharsets.UTF_8), 0644)),
        OptionalInt.empty(),
        OptionalInt.empty());
  }

  private static Mount mount(String destination, Source source) {
    return new Mount(destination, source, false, "");
  }

  @Test
  @DisplayName("a written volume is read at its mount, and a rewritten one shows its new content")
  void files() {
    Guest guest = fixture.guest();
    fixture.compute().writeVolume(guest.id(), files("config", "name", "first\n"));
    guest.start(
        ProcessSpecs.shell("cat /config/name; while true; do sleep 1; done")
            .withMounts(mount("/config", new Source.Files("config"))));
    guest.awaitLine("first");
    fixture.compute().writeVolume(guest.id(), files("config", "name", "second\n"));
    assertEquals("second\n", guest.exec("", "cat", "/config/name").stdout());
    fixture.compute().writeVolume(guest.id(), files("config", "other", "third\n"));
    assertEquals(1, guest.exec("", "cat", "/config/name").code());
    assertEquals("third\n", guest.exec("", "cat", "/config/other").stdout());
  }

  @Test
  @DisplayName("a path that leaves the volume is INVALID_ARGUMENT")
  void escaping() {
    Guest guest = fixture.guest();
    for (String path : List.of("../escape", "/absolute", "a/../../b", "")) {
      assertRefused(
          Code.INVALID_ARGUMENT,
          () -> fixture.compute().writeVolume(guest.id(), files("config", path, "x")));
    }
  }

  @Test
  @DisplayName("a containerVM that is not there is NOT_FOUND")
  void missing() {
    assertRefused(
        Code.NOT_FOUND,
        () -> fixture.compute().writeVolume("no-such-vm", files("config", "a", "b")));
  }

  @Test
  @DisplayName("a volume that was never written is a START_ERROR")
  void neverWritten() {
    Guest guest = fixture.guest();
    var exited =
        guest.run(
            ProcessSpecs.of("true")
                .withMounts(mount("/config", new Source.Files("never-written"))));
    assertEquals(Reason.START_ERROR, exited.reason());
    assertTrue(exited.message().contains("/config"), exited.message());
  }

  @Test
  @DisplayName("a scratch directory and memory outlive a restart of the process")
  void outlive() {
    Guest guest = fixture.guest();
    List<Source> sources =
        List.of(
            new Source.ScratchDirectory(fixture.name("cache")),
            new Source.Memory(fixture.name("memory"), 1 << 20));
    for (Source source : sources) {
      Mount mount = mount("/kept", source);
      guest.run(ProcessSpecs.shell("echo kept > /kept/mark").withMounts(mount));
      guest.run(ProcessSpecs.of("cat", "/kept/mark").withMounts(mount));
      assertEquals(List.of("kept"), guest.lines());
    }
  }

  @Test
  @DisplayName("a read-only mount refuses writes, and a sub path shows only that part")
  void readOnlyAndSubPath() {
    Guest guest = fixture.guest();
    Source cache = new Source.ScratchDirectory(fixture.name("cache"));
    guest.run(
        ProcessSpecs.shell("echo inner > /all/mark")
            .withMounts(new Mount("/all", cache, false, "part")));
    guest.run(ProcessSpecs.of("cat", "/all/part/mark").withMounts(mount("/all", cache)));
    assertEquals(List.of("inner"), guest.lines());
    assertEquals(
        9,
        guest
            .run(
                ProcessSpecs.shell("echo mark > /all/mark || exit 9")
                    .withMounts(new Mount("/all", cache, true, "")))
            .exitCode());
  }
}
