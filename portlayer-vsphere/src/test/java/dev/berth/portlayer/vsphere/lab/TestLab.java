package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.vsphere.client.Credentials;
import dev.berth.portlayer.vsphere.client.Trust;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The vCenter lab of {@code e2e/vsphere-lab}, built when its sources changed, started once for all
 * test classes of a run that ask for it, and ended with the run. Its folder is {@code
 * berth.work}/bin, where {@code ./verify} has built it.
 */
public final class TestLab implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration LOOK = Duration.ofMillis(20);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path BIN =
      Path.of(System.getProperty("berth.work", ROOT.resolve(".berth").toString())).resolve("bin");

  private final Path directory;
  private final Process process;
  private final Thread atExit;
  private final HttpClient http = HttpClient.newHttpClient();
  private final JsonNode lab;

  private TestLab(String... options) {
    try {
      directory = Files.createTempDirectory("vsphere-lab");
      build();
      List<String> command =
          new ArrayList<>(
              List.of(BIN.resolve("vsphere-lab").toString(), "--directory", directory.toString()));
      command.addAll(List.of(options));
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("output").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    atExit = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(atExit);
    lab = JSON.readTree(started(directory.resolve("lab.json")));
  }

  /** Awaits what the lab writes when it serves; without the tests' libraries, for benchmarks. */
  private Path started(Path file) {
    long end = System.nanoTime() + START.toNanos();
    while (!Files.exists(file)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException("the lab ended, or took more than " + START);
      }
      LockSupport.parkNanos(LOOK.toNanos());
    }
    return file;
  }

  /**
   * A lab of the caller's own whose VMs boot; it needs root and QEMU.
   *
   * @param more options
   */
  public static TestLab booting(String... more) {
    return new TestLab(Stream.concat(Stream.of("--boot"), Stream.of(more)).toArray(String[]::new));
  }

  /** A lab of the caller's own whose VMs do not boot, with hosts of a terabyte each. */
  public static TestLab large() {
    return new TestLab("--host-memory", "1048576", "--host-cores", "256");
  }

  /** The same with the guests of containerVMs played. */
  public static TestLab played() {
    return new TestLab("--host-memory", "1048576", "--host-cores", "256", "--play-guests");
  }

  private static void build() throws IOException {
    Process build =
        new ProcessBuilder(
                ROOT.resolve("e2e/vsphere-lab/build").toString(), "--output", BIN.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (build.onExit().join().exitValue() != 0) {
      throw new IOException("the vCenter lab cannot be built:\n" + output);
    }
  }

  /** Gives the shared lab to test classes that ask for one. */
  public static final class Resolver implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == TestLab.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return context
          .getRoot()
          .getStore(Namespace.GLOBAL)
          .getOrComputeIfAbsent(TestLab.class, key -> new TestLab(), TestLab.class);
    }
  }

  public URI url() {
    return URI.create(lab.path("url").asString());
  }

  public Trust.Authority authority() {
    return new Trust.Authority(Path.of(lab.path("caFile").asString()));
  }

  public Trust.Thumbprint thumbprint() {
    return new Trust.Thumbprint(lab.path("thumbprint").asString());
  }

  public Credentials.Password administrator() {
    return new Credentials.Password(
        lab.path("user").asString(), Path.of(lab.path("passwordFile").asString()));
  }

  /** A connection with short time-outs. */
  public VimSettings settings() {
    return settings(administrator());
  }

  /** The same for somebody else. */
  VimSettings settings(Credentials credentials) {
    return new VimSettings(
        url(),
        authority(),
        credentials,
        Duration.ofSeconds(2),
        Duration.ofSeconds(10),
        Duration.ofSeconds(20),
        Duration.ofSeconds(5));
  }

  /**
   * Makes calls fail.
   *
   * @param rule as the lab's documentation says
   */
  public void fault(Map<String, Object> rule) {
    control("POST", "/faults", rule);
  }

  /** How many calls the rules have made fail. */
  public int faults() {
    int failed = 0;
    for (JsonNode rule : control("GET", "/faults", null)) {
      failed += rule.path("failed").asInt();
    }
    return failed;
  }

  /** How many calls the rules have been held against and were meant for, failed or not. */
  public int matched() {
    int seen = 0;
    for (JsonNode rule : control("GET", "/faults", null)) {
      seen += rule.path("seen").asInt();
    }
    return seen;
  }

  /** Ends all faults, delays and counts. */
  public void reset() {
    control("DELETE", "/faults", null);
    control("PUT", "/latency", Map.of());
    control("DELETE", "/calls", null);
  }

  /** How often a method was called. */
  public int calls(String method) {
    return calls().getOrDefault(method, 0);
  }

  /** How often each method was called that was. */
  public SortedMap<String, Integer> calls() {
    SortedMap<String, Integer> calls = new TreeMap<>();
    control("GET", "/calls", null)
        .properties()
        .forEach(method -> calls.put(method.getKey(), method.getValue().asInt()));
    return calls;
  }

  /** The process of the lab. */
  public ProcessHandle process() {
    return process.toHandle();
  }

  public void latency(String protocol, int milliseconds) {
    control("PUT", "/latency", Map.of(protocol, milliseconds));
  }

  /**
   * @param mode refuse or hang
   */
  public void outage(String mode, double seconds) {
    control("POST", "/outage", Map.of("mode", mode, "seconds", seconds));
  }

  /** Lets somebody log in who may do nothing. */
  Credentials.Password user(String name) {
    String password = UUID.randomUUID().toString();
    control("POST", "/users", Map.of("name", name, "password", password));
    try {
      return new Credentials.Password(name, Files.writeString(directory.resolve(name), password));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void expireSessions() {
    control("POST", "/sessions/expire", null);
  }

  /** Lets a host die with all that runs on it. */
  public void failHost(String name) {
    control("POST", "/hosts/" + name + "/fail", null);
  }

  public void recoverHost(String name) {
    control("POST", "/hosts/" + name + "/recover", null);
  }

  /** The QEMU of a VM that is on. */
  public Optional<ProcessHandle> qemu(String vm) {
    return process
        .descendants()
        .filter(child -> child.info().commandLine().filter(line -> line.contains(vm)).isPresent())
        .findFirst();
  }

  private JsonNode control(String method, String path, @Nullable Object body) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(lab.path("control").asString() + path))
            .method(
                method,
                body == null
                    ? BodyPublishers.noBody()
                    : BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
            .build();
    try {
      HttpResponse<String> response = send(request);
      if (response.statusCode() != 200) {
        throw new IllegalStateException(path + ": " + response.body());
      }
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The client may choose a kept connection that is just about to close. */
  private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    try {
      return http.send(request, BodyHandlers.ofString());
    } catch (IOException e) {
      if (request.method().equals("POST")) {
        throw e;
      }
      return http.send(request, BodyHandlers.ofString());
    }
  }

  @Override
  public void close() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    Runtime.getRuntime().removeShutdownHook(atExit);
    delete(directory);
  }

  /** Deletes a folder with all that is in it. */
  static void delete(Path directory) {
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
