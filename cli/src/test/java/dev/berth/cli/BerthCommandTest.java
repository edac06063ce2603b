package dev.berth.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("The berth command")
class BerthCommandTest {
  @TempDir private Path directory = Path.of("");

  private final StringWriter output = new StringWriter();
  private final StringWriter errors = new StringWriter();

  private int run(String... arguments) {
    return BerthCommand.run(
        new PrintWriter(output, true), new PrintWriter(errors, true), arguments);
  }

  @Test
  @DisplayName("tells its version")
  void version() {
    assertEquals(0, run("version"));
    assertTrue(output.toString().startsWith("berth "), output::toString);
    assertEquals("", errors.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "kubelet",
        "quickstart",
        "vch",
        "vch create",
        "vch ls",
        "vch inspect",
        "vch delete",
        "vch privileges",
        "doctor",
        "version"
      })
  @DisplayName("has help for itself and every command, without overlong lines")
  void help(String command) {
    assertEquals(0, run((command + " --help").strip().split(" ", -1)));
    assertTrue(output.toString().contains("Usage: berth"), output::toString);
    assertTrue(output.toString().lines().allMatch(line -> line.length() <= 120), output::toString);
    assertEquals("", errors.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "'',a command is missing",
    "serve,serve",
    "kubelet --nodename x,--nodename",
    "kubelet --node-name,--node-name",
    "version --log-level loud,--log-level loud",
    "quickstart --name,--name"
  })
  @DisplayName("a wrong call is one line on stderr and exit code 2")
  void wrongCalls(String arguments, String named) {
    String[] words = arguments.isEmpty() ? new String[0] : arguments.split(" ", -1);
    assertEquals(CommandFailure.USAGE, run(words));
    assertEquals("", output.toString());
    assertEquals(1, errors.toString().lines().count(), errors::toString);
    assertTrue(errors.toString().contains(named), errors::toString);
    assertTrue(errors.toString().contains("--help"), errors::toString);
  }

  @Test
  @DisplayName("kubelet tells everything that is missing at once, each with its remedy")
  void missingSettings() {
    assertEquals(CommandFailure.USAGE, run("kubelet"));
    List<String> lines = errors.toString().lines().toList();
    for (String name :
        List.of("node-name", "kubeconfig", "directory", "boot", "tls-certificate", "tls-key")) {
      assertTrue(
          lines.stream()
              .anyMatch(line -> line.startsWith("berth kubelet: " + name + ": is missing: ")),
          () -> name + " in\n" + errors);
    }
    assertEquals(6, lines.size(), errors::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--port|70000|port: \"70000\" must be a whole number from 1 to 65535",
        "--port|x|port: \"x\" must be a whole number",
        "--address|localhost|address: \"localhost\" is no IP address",
        "--memory-limit|lots|memory-limit: \"lots\" is no amount: write 512Mi or 8Gi",
        "--cpu-limit|0|cpu-limit: \"0\" is no amount: write 4 or 500m",
        "--pod-limit|0|pod-limit: \"0\" must be a whole number from 1",
        "--network|10.0.0.0/24|network: \"10.0.0.0/24\": write NAME=SUBNET",
        "--network|pods=10.0.0.1/24|the subnet has host bits set",
        "--network|pods=10.0.0.0/30|the subnet's prefix must be from /8 to /29",
        "--network|pods=10.0.0.300/24|the subnet must have the form",
        "--backend|xen|backend: \"xen\" is not known: use local or vsphere",
        "--vch|v|vch: is for --backend vsphere alone: leave it out",
        "--host-group|a=b|host-group: is for --backend vsphere alone: leave it out",
        "--vcenter-user|u|vcenter-user: is for --backend vsphere alone: leave it out",
        "--node-name|My_Node|node-name: \"My_Node\" must be lower-case",
        "--image-gc-high|101|image-gc-high: \"101\" must be a whole number from 0 to 100",
        "--image-gc-low|90|image-gc-low: 90 must not be above image-gc-high, 85",
        "--registry-mirror|docker.io|registry-mirror: \"docker.io\": write REGISTRY=MIRROR",
        "--registry-config|/no/such/file|registry-config: /no/such/file is no file that can be read",
        "--boot|/no/such/directory|boot: /no/such/directory is no directory",
        "--allow-host-port|10.0.0.1|allow-host-port: \"10.0.0.1\" must have the form",
        "--kubernetes-service|10.0.0.1:443|kubernetes-service: \"10.0.0.1:443\": write IP:PORT=IP:PORT",
        "--cluster-dns|dns|cluster-dns: \"dns\" is no IP address",
        "--default-memory|1Mi|default-memory: must be 16Mi or more",
        "--kubernetes-service-port|0|kubernetes-service-port: \"0\" must be a whole number"
      })
  @DisplayName("kubelet names a wrong setting and how to mend it, and nothing else")
  void wrongSettings(String flag, String value, String message) throws IOException {
    List<String> arguments = valid();
    int given = arguments.indexOf(flag);
    if (given >= 0) {
      arguments.set(given + 1, value);
    } else {
      arguments.addAll(List.of(flag, value));
    }
    assertEquals(CommandFailure.USAGE, run(arguments.toArray(String[]::new)));
    assertTrue(errors.toString().contains(message), errors::toString);
    assertEquals(1, errors.toString().lines().count(), errors::toString);
  }

  @Test
  @DisplayName("kubelet on vSphere wants a vCenter and a VCH, and nothing that is of this machine")
  void settingsOfTheOtherBackend() throws IOException {
    List<String> arguments = valid();
    arguments.addAll(
        List.of("--backend", "vsphere", "--allow-host-port", "10.0.0.1:1", "--vch", "v"));
    for (String wrong : List.of("team", "Team=group", "*=")) {
      arguments.addAll(List.of("--host-group", wrong));
    }
    assertEquals(CommandFailure.USAGE, run(arguments.toArray(String[]::new)));
    for (String line :
        List.of(
            "boot: is set by 'berth vch create' for --backend vsphere: leave it out",
            "allow-host-port: is for --backend local alone: leave it out",
            "control-address: is missing: ",
            "vcenter: is missing: ",
            "vcenter-user: is missing: ",
            "vcenter-password-file: is missing: ",
            "host-group: \"team\": write NAMESPACE=GROUP, or *=GROUP for all other namespaces",
            "host-group: \"*=\": write NAMESPACE=GROUP",
            "host-group: \"Team\" is no namespace's name: write one, or * for all others")) {
      assertTrue(errors.toString().contains("berth kubelet: " + line), errors::toString);
    }
    assertEquals(9, errors.toString().lines().count(), errors::toString);
  }

  @Test
  @DisplayName("kubelet refuses a setting that takes one value and was given two")
  void givenTwice() throws IOException {
    List<String> arguments = valid();
    arguments.addAll(List.of("--node-name", "other"));
    assertEquals(CommandFailure.USAGE, run(arguments.toArray(String[]::new)));
    assertTrue(errors.toString().contains("node-name: is given 2 times"), errors::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nodename: x|nodename: there is no such setting; did you mean node-name?",
        "port: [1, 2]|port: is given 2 times, but takes one value",
        "port: many|port: \"many\" must be a whole number",
        "network: {pods: 10.0.0.1/24}|the subnet has host bits set",
        "cluster-dns: [{a: b}]|cluster-dns: must be a value or a list of values",
        "'port: \"unclosed'|is neither YAML nor JSON at line 1",
        "just text|must hold lines of the form NAME: VALUE",
        "{\"port\": 0}|port: \"0\" must be a whole number"
      })
  @DisplayName("kubelet finds what is wrong in a configuration file")
  void configurationFile(String content, String message) throws IOException {
    List<String> arguments = valid();
    Path file = Files.writeString(directory.resolve("config.yaml"), content);
    arguments.addAll(List.of("--config", file.toString()));
    assertEquals(CommandFailure.USAGE, run(arguments.toArray(String[]::new)));
    assertTrue(errors.toString().contains(message), errors::toString);
  }

  @Test
  @DisplayName("kubelet says when the configuration file is not there")
  void missingConfigurationFile() throws IOException {
    List<String> arguments = valid();
    arguments.addAll(List.of("--config", "/no/such/config.yaml"));
    assertEquals(CommandFailure.USAGE, run(arguments.toArray(String[]::new)));
    assertTrue(errors.toString().contains("/no/such/config.yaml: there is no such file"));
  }

  @Test
  @DisplayName("doctor names what it looked at")
  void doctor() {
    int code = run("doctor", "--boot", "/no/such/directory");
    assertEquals(CommandFailure.FAILURE, code);
    assertTrue(output.toString().contains("qemu-system-x86_64"), output::toString);
    assertTrue(output.toString().contains("/no/such/directory holds no boot.json"));
    assertFalse(errors.toString().isEmpty());
  }

  /** Arguments with which nothing is wrong. */
  private List<String> valid() throws IOException {
    Path file = Files.writeString(directory.resolve("file.pem"), "");
    Files.writeString(directory.resolve("boot.json"), "{}");
    return new ArrayList<>(
        Arrays.asList(
            "kubelet",
            "--node-name",
            "vch-1",
            "--kubeconfig",
            file.toString(),
            "--directory",
            directory.resolve("vch").toString(),
            "--boot",
            directory.toString(),
            "--tls-certificate",
            file.toString(),
            "--tls-key",
            file.toString()));
  }
}
