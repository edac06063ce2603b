package dev.berth.e2e.bench;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What a running containerVM costs, and how fast one gets at it. */
final class Use {
  private static final int LOG_BYTES = 100_000_000;
  private static final double MEGABYTE = 1e6;
  private static final double PROMISED_EXEC = 200;

  private final Vch vch;
  private final Report report;

  Use(Vch vch, Report report) {
    this.vch = vch;
    this.report = report;
  }

  void measure(String kernel, int rounds) throws Exception {
    memory("memory " + kernel, rounds);
    exec("exec " + kernel, rounds * 4);
    logs("logs " + kernel, 3);
  }

  private void memory(String section, int rounds) throws Exception {
    List<Double> resident = new ArrayList<>();
    List<Double> proportional = new ArrayList<>();
    List<Double> guest = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      Pod pod = vch.create("idle-" + i, "exec sleep 100000");
      vch.awaitPhase("idle-" + i, "Running");
      String own = run("idle-" + i, "cat", "/proc/1/status");
      String all = run("idle-" + i, "cat", "/proc/meminfo");
      guest.add(
          Machine.mebibytes(all, "MemTotal")
              - Machine.mebibytes(all, "MemAvailable")
              - Machine.mebibytes(own, "VmRSS"));
      resident.add(Machine.resident(vch.qemu(pod)));
      proportional.add(Machine.proportional(vch.qemu(pod)));
    }
    for (int i = 0; i < rounds; i++) {
      vch.delete("idle-" + i);
    }
    report.add(section, "in the guest, kernel and tether, not available", "MiB", guest);
    report.add(section, "QEMU resident, containerVM of 64 MiB", "MiB", resident);
    report.add(section, "QEMU proportional, " + rounds + " alike running", "MiB", proportional);
  }

  private void exec(String section, int rounds) throws Exception {
    vch.create("exec", "exec sleep 100000");
    vch.awaitPhase("exec", "Running");
    List<Double> kept = new ArrayList<>();
    List<Double> kubectl = new ArrayList<>();
    run("exec", "true");
    for (int i = 0; i < rounds; i++) {
      long begun = System.nanoTime();
      run("exec", "true");
      kept.add(Machine.millisSince(begun));
      begun = System.nanoTime();
      var _ = vch.kubectl("exec", "exec", "--", "true").run().expect(0);
      kubectl.add(Machine.millisSince(begun));
    }
    vch.delete("exec");
    Figure round =
        report.add(section, "exec of true, one client, through the API server", "ms", kept);
    report.add(section, "kubectl exec of true, with kubectl's start", "ms", kubectl);
    report.promise(
        new Report.Promise(
            "exec round trip, " + section, "ms", round.median(), PROMISED_EXEC, true));
  }

  private String run(String pod, String... command)
      throws ExecutionException, InterruptedException, TimeoutException {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    try (ExecWatch watch =
        vch.client()
            .pods()
            .inNamespace("default")
            .withName(pod)
            .writingOutput(output)
            .exec(command)) {
      int code = watch.exitCode().get(Vch.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (code != 0) {
        throw new IllegalStateException("exec ended with " + code);
      }
    }
    return output.toString(StandardCharsets.UTF_8);
  }

  private void logs(String section, int rounds) {
    vch.create(
        "writer",
        "yes 'ninety-nine characters and a newline make a line of a hundred bytes, of which there are a million..' | head -c "
            + LOG_BYTES);
    long begun = System.nanoTime();
    vch.awaitPhase("writer", "Succeeded");
    report.add(
        section,
        "100 MB written, with the VM's start and end",
        "MB/s",
        List.of(LOG_BYTES / MEGABYTE / (Machine.millisSince(begun) / 1000)));
    List<Double> speeds = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      begun = System.nanoTime();
      int length = vch.kubectl("logs", "writer").run().expect(0).bytes().length;
      if (length != LOG_BYTES) {
        throw new IllegalStateException("kubectl logs gave %d bytes".formatted(length));
      }
      speeds.add(LOG_BYTES / MEGABYTE / (Machine.millisSince(begun) / 1000));
    }
    vch.delete("writer");
    report.add(section, "kubectl logs of 100 MB", "MB/s", speeds);
  }
}
