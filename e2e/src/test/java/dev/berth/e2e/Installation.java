package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * One installation as {@code ./quickstart} makes it, shared by all test classes of a run and
 * removed at its end. Each is in a network namespace of its own, so a developer's may go on beside
 * it.
 */
final class Installation implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path WORK =
      Path.of(System.getProperty("berth.work", ROOT.resolve(".berth").toString()));

  /** Another name keeps a second run on the machine apart from this one. */
  static final String NAME = System.getProperty("berth.e2e.name", "berth-e2e");

  static final String REGISTRY = "quickstart.berth.dev";

  /** One of a test's own, beside the kubelet; spoken to without TLS. */
  static final String PRIVATE_REGISTRY = "127.0.0.1:5001";

  /** That of a cluster which is there already; none lets an installation start its own. */
  private static final Optional<Path> KUBECONFIG =
      Optional.ofNullable(System.getProperty("berth.e2e.kubeconfig"))
          .filter(file -> !file.isEmpty())
          .map(file -> Path.of(file).toAbsolutePath());

  private final String name;
  private final Path directory;
  private final Optional<Path> cluster;

  Installation() {
    this(NAME, WORK.resolve("e2e"), KUBECONFIG);
  }

  /** One apart from the shared one, with a control plane of its own. */
  Installation(String name, Path directory) {
    this(name, directory, Optional.empty());
  }

  /**
   * @param cluster kubeconfig of the cluster to join
   */
  Installation(String name, Path directory, Optional<Path> cluster) {
    this.name = name;
    this.directory = directory;
    this.cluster = cluster;
  }

  /** Skips a test that counts on the control plane being in the installation's namespace. */
  void assumeOwnControlPlane() {
    assumeTrue(cluster.isEmpty(), "the control plane is not the installation's");
  }

  /** The folder with the node's kubeconfig and certificates. */
  Path credentials() {
    return directory.resolve(
        cluster.isPresent() ? Path.of("node") : Path.of("control-plane/nodes", name));
  }

  /** The installation that the test classes of this run share. */
  static Installation shared(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(ExtensionContext.Namespace.GLOBAL)
        .getOrComputeIfAbsent(
            Installation.class, key -> new Installation().up(), Installation.class);
  }

  /**
   * Gives the shared installation to test classes that ask for one. What a failed test left of it,
   * it mends, so that the failure of one is not that of all after it.
   */
  static final class Resolver implements ParameterResolver, AfterEachCallback, AfterAllCallback {
    @Override
    public void afterEach(ExtensionContext context) {
      if (context.getExecutionException().isEmpty()) {
        return;
      }
      if (context.getTestInstanceLifecycle().equals(Optional.of(Lifecycle.PER_CLASS))) {
        // The class's other tests may need what it made before them.
        failed(context).put(context.getRequiredTestClass(), true);
      } else {
        shared(context).recover();
      }
    }

    @Override
    public void afterAll(ExtensionContext context) {
      if (failed(context).remove(context.getRequiredTestClass()) != null
          || context.getExecutionException().isPresent()) {
        shared(context).recover();
      }
    }

    private static ExtensionContext.Store failed(ExtensionContext context) {
      return context.getRoot().getStore(ExtensionContext.Namespace.create(Resolver.class));
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == Installation.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return shared(context);
    }
  }

  Installation up() {
    quickstart("--stop").expect(0);
    recover(); // An aborted run may have left pods in the control plane's store.
    return this;
  }

  /** Starts what does not run and deletes the node's pods; all pods where no others can be. */
  private void recover() {
    start();
    List<String> which =
        cluster.isEmpty()
            ? List.of("--all")
            : List.of("--all-namespaces", "--field-selector=spec.nodeName=" + name);
    List<String> arguments = new ArrayList<>(List.of("delete", "pod", "--grace-period=1"));
    arguments.addAll(which);
    kubectl(arguments.toArray(String[]::new)).deadline(Duration.ofMinutes(3)).run().expect(0);
  }

  /**
   * Starts what does not run; what runs is left alone, but for a kubelet that runs with other
   * options.
   */
  void start(String... kubeletOptions) {
    List<String> options =
        new ArrayList<>(List.of("--kubelet-option=--registry-plain-http=" + PRIVATE_REGISTRY));
    Stream.of(kubeletOptions).map("--kubelet-option="::concat).forEach(options::add);
    cluster.ifPresent(file -> options.addAll(List.of("--kubeconfig", file.toString())));
    quickstart(options.toArray(String[]::new)).expect(0);
  }

  Command.Result quickstart(String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                command("berth"),
                "quickstart",
                "--checkout",
                ROOT.toString(),
                "--directory",
                directory.toString(),
                "--name",
                name,
                "--backend",
                Backend.CHOSEN.option()));
    arguments.addAll(List.of(more));
    return Command.of(arguments).deadline(Duration.ofMinutes(4)).run();
  }

  /** That of its node, its namespace and the host's link to it. */
  String name() {
    return name;
  }

  Path directory() {
    return directory;
  }

  /** The path of a program that the installation runs. */
  String command(String name) {
    return WORK.resolve("bin").resolve(name).toString();
  }

  Path boot() {
    return WORK.resolve("boot");
  }

  Command kubectl(String... arguments) {
    List<String> all = new ArrayList<>(List.of(command("kubectl")));
    all.addAll(List.of(arguments));
    return Command.of(all)
        .environment(Map.of("KUBECONFIG", directory.resolve("kubeconfig").toString()));
  }

  /** The same on a terminal. */
  Command terminal(String... arguments) {
    String line = command("kubectl") + " " + String.join(" ", arguments);
    return Command.of("script", "-qec", line, "/dev/null")
        .environment(Map.of("KUBECONFIG", directory.resolve("kubeconfig").toString()));
  }

  void apply(String manifest) {
    kubectl("apply", "-f", "-").input(manifest).run().expect(0);
  }

  /** Runs a program where the VCH's gateway is. */
  Command inNamespace(String... arguments) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
    all.addAll(List.of(arguments));
    return Command.of(all);
  }

  /** Runs a program where the kubelet is, so that both have the same loopback. */
  Command besideKubelet(String... arguments) {
    return cluster.isPresent() ? Command.of(arguments) : inNamespace(arguments);
  }

  JsonNode pod(String name) {
    return JSON.readTree(kubectl("get", "pod", name, "-o", "json").run().expect(0).bytes());
  }

  String podIp(String name) {
    return pod(name).at("/status/podIP").asString();
  }

  JsonNode container(String name) {
    return pod(name).at("/status/containerStatuses/0");
  }

  void awaitPhase(String pod, String phase) {
    await()
        .alias(pod + " " + phase)
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(250))
        .until(() -> pod(pod).at("/status/phase").asString(), phase::equals);
  }

  /** Waits for the container's state, such as {@code waiting}, to have a reason. */
  void awaitReason(String pod, String state, String reason) {
    await()
        .alias("%s %s %s".formatted(pod, state, reason))
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(250))
        .until(() -> container(pod).at("/state/" + state + "/reason").asString(""), reason::equals);
  }

  void awaitRestarts(String pod, int count) {
    await()
        .alias(pod + " restarted " + count + " times and runs")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(250))
        .until(
            () ->
                container(pod).at("/restartCount").asInt(-1) == count
                    && !container(pod).at("/state/running").isMissingNode());
  }

  String events(String pod) {
    return kubectl(
            "get",
            "events",
            "--field-selector",
            "involvedObject.name=" + pod,
            "-o",
            "jsonpath={range .items[*]}{.type} {.reason}: {.message}{\"\\n\"}{end}")
        .run()
        .expect(0)
        .output();
  }

  void awaitEvent(String pod, String text) {
    await()
        .alias("event of " + pod + " with \"" + text + "\"")
        .atMost(Duration.ofMinutes(1))
        .pollInterval(Duration.ofMillis(250))
        .until(() -> events(pod), all -> all.contains(text));
  }

  void delete(String... pods) {
    List<String> arguments = new ArrayList<>(List.of("delete", "pod", "--ignore-not-found"));
    arguments.addAll(List.of(pods));
    kubectl(arguments.toArray(String[]::new)).deadline(Duration.ofMinutes(3)).run().expect(0);
  }

  /** A pod with one container of a test image. */
  static String manifest(String name, String image, String more) {
    return """
        apiVersion: v1
        kind: Pod
        metadata:
          name: %s
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 2
          nodeSelector: {type: virtual-kubelet}
          tolerations:
          - key: virtual-kubelet.io/provider
            operator: Exists
          containers:
          - name: main
            image: %s/%s
            resources:
              limits:
                memory: 64Mi
        %s
        """
        .formatted(name, REGISTRY, image, more.indent(4).stripTrailing());
  }

  /** A pod that runs a shell script. */
  static String script(String name, String script) {
    return manifest(
        name,
        "busybox",
        "command: [\"/bin/sh\", \"-c\", %s]".formatted(JSON.writeValueAsString(script)));
  }

  /** The process that a pid file of the installation names, while it lives. */
  Optional<ProcessHandle> process(String name) {
    Path file = directory.resolve("run").resolve(name + ".pid");
    try {
      String pid = Files.readString(file).strip().split("\\s+", -1)[0];
      return ProcessHandle.of(Long.parseLong(pid)).filter(ProcessHandle::isAlive);
    } catch (java.nio.file.NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends a process of the installation with KILL, and waits until it is gone. */
  void kill(ProcessHandle process) {
    Objects.requireNonNull(process, "process").destroyForcibly();
    await().atMost(Duration.ofSeconds(20)).until(() -> !process.isAlive());
  }

  VcenterLab lab() {
    return new VcenterLab(this);
  }

  /** What each containerVM has told of its state, read past the control plane. */
  List<String> states() {
    return Backend.CHOSEN == Backend.VSPHERE ? lab().states() : stateFiles();
  }

  private List<String> stateFiles() {
    try (Stream<Path> files = Files.walk(directory.resolve("vch/vms"))) {
      List<String> states = new ArrayList<>();
      for (Path file : files.filter(path -> path.endsWith("state.jsonl")).toList()) {
        states.add(Files.readString(file));
      }
      return states;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The QEMU processes of this installation's containerVMs. */
  List<ProcessHandle> virtualMachines() {
    return ProcessHandle.allProcesses()
        .filter(
            process ->
                process.info().command().orElse("").contains("qemu-system")
                    && commandLine(process).contains(directory.toString()))
        .toList();
  }

  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"));
    } catch (IOException e) {
      return ""; // It ended meanwhile.
    }
  }

  @Override
  public void close() {
    quickstart("--stop").expect(0);
  }
}
