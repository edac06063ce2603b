package dev.berth.portlayer.local;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.contract.ProcessSpecs;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Measures by hand where the time of a containerVM's start goes; run as a program. */
final class StageTimes {
  private static final long MEBIBYTE = 1L << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Logger LOG = LoggerFactory.getLogger(StageTimes.class);
  private static long mark;

  private StageTimes() {}

  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
    mark = System.nanoTime();
    try (LocalTestHost host = new LocalTestHost()) {
      stage("open");
      for (int round = 0; round < rounds; round++) {
        LOG.info("round {}", round);
        run(host, round);
      }
      mark = System.nanoTime();
    }
    stage("remove everything");
  }

  private static void run(LocalTestHost host, int round) throws IOException {
    LocalPortLayer layer = host.portLayer();
    mark = System.nanoTime();
    Image image =
        layer.storage().pullImage(new ImageRequest(SquashfsImages.IMAGE, List.of(), PATIENCE));
    stage("image");
    DiskAttachment scratch =
        layer
            .storage()
            .createDisk("scratch-" + round, DiskAttachment.Role.SCRATCH, 1024 * MEBIBYTE);
    stage("scratch disk");
    NicAttachment nic = layer.network().createEndpoint("nic-" + round, "pods");
    stage("endpoint");
    GroupSpec group = group(round, image, scratch, nic);
    layer.compute().create(group);
    stage("create");
    long begun = System.nanoTime();
    layer.compute().powerOn(group.id(), PATIENCE);
    stage("power on -> ready");
    String vm = group.members().getFirst().id();
    layer
        .compute()
        .startProcess(vm, 0, ProcessSpecs.shell("echo hello; uname -r; exec sleep 600").build());
    stage("start process");
    try (LogReader reader =
        layer
            .interaction()
            .logs(
                vm,
                new LogRequest(
                    OptionalInt.empty(),
                    true,
                    Optional.empty(),
                    OptionalLong.empty(),
                    Optional.empty()))) {
      LogLine line = reader.next(PATIENCE);
      stage("first log line: " + (line == null ? "none" : text(line.content())));
      line = reader.next(PATIENCE);
      stage("second log line: " + (line == null ? "none" : text(line.content())));
    }
    LOG.info("power on -> log line in all {} ms", (System.nanoTime() - begun) / 1_000_000);
    exec(layer, vm, "first exec");
    for (int i = 0; i < 5; i++) {
      exec(layer, vm, "exec");
    }
    LOG.info("{}", layer.interaction().statistics(vm));
    stage("statistics");
    host.restart();
    stage("restart of the control plane");
    layer = host.portLayer();
    LOG.info("{}", layer.compute().find(group.id()).orElseThrow().members().getFirst().process());
    exec(layer, vm, "exec after restart");
    layer.compute().powerOff(group.id(), Duration.ofSeconds(1));
    stage("power off");
    ProcessState process =
        layer.compute().find(group.id()).orElseThrow().members().getFirst().process();
    LOG.info("{}", process);
    layer.compute().destroy(group.id());
    layer.storage().deleteDisk(scratch.id());
    layer.network().deleteEndpoint(nic.id());
    stage("destroy");
  }

  private static GroupSpec group(
      int round, Image image, DiskAttachment scratch, NicAttachment nic) {
    return new GroupSpec(
        "group-" + round,
        "measured",
        Placement.anywhereTogether(),
        List.of(
            new ContainerVmSpec(
                "vm-" + round,
                "measured",
                new Resources(1, 0, 0, 64 * MEBIBYTE, 0),
                image.id(),
                List.of(image.disk(), scratch),
                List.of(nic),
                Map.of())),
        Map.of());
  }

  private static void exec(LocalPortLayer layer, String vm, String name) throws IOException {
    ExecSpec spec =
        new ExecSpec(List.of("cat", "/proc/sys/kernel/ostype"), false, false, Optional.empty());
    try (ProcessSession session = layer.interaction().exec(vm, spec)) {
      String output = text(session.stdout().readAllBytes());
      int code = session.awaitExit(PATIENCE).orElseThrow().code();
      stage(name + ": " + output.strip() + " " + code);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static void stage(String name) {
    long now = System.nanoTime();
    LOG.info("{} ms  {}", "%8.1f".formatted((now - mark) / 1e6), name);
    mark = System.nanoTime();
  }
}
