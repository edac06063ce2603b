package dev.berth.cli.vch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.cli.BerthCommand;
import dev.berth.cli.CommandFailure;
import dev.berth.portlayer.vsphere.lab.LabUser;
import dev.berth.portlayer.vsphere.lab.TestLab;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@DisplayName("The command berth vch")
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class VchCommandTest {
  private final TestLab lab;
  private final StringWriter output = new StringWriter();
  private final StringWriter errors = new StringWriter();

  @TempDir private Path directory = Path.of("");

  VchCommandTest(TestLab lab) {
    this.lab = lab;
  }

  @BeforeEach
  void boot() throws IOException {
    lab.reset();
    Files.writeString(directory.resolve("bootstrap.iso"), "an image");
    Files.writeString(
        directory.resolve("boot.json"),
        """
        {"schema": 1, "kernelVersion": "6.1", "iso": "bootstrap.iso", "overheadMebibytes": 72}
        """);
  }

  @AfterEach
  void delete() {
    assertEquals(0, run(with("delete", "shown", "--force")), errors::toString);
  }

  private int run(List<String> arguments) {
    output.getBuffer().setLength(0);
    errors.getBuffer().setLength(0);
    return BerthCommand.run(
        new PrintWriter(output, true),
        new PrintWriter(errors, true),
        arguments.toArray(String[]::new));
  }

  private List<String> with(String... words) {
    List<String> arguments = new ArrayList<>(List.of("vch"));
    arguments.addAll(List.of(words));
    arguments.addAll(List.of("--config", configuration().toString()));
    return arguments;
  }

  private Path configuration() {
    try {
      return Files.writeString(
          directory.resolve("vch.yaml"),
          """
          vcenter: %s
          vcenter-ca-file: %s
          vcenter-user: %s
          vcenter-password-file: %s
          datacenter: DC0
          compute: DC0_C0
          datastore: LocalDS_0
          control: tcp://10.1.0.9:7001
          memory-limit: 8Gi
          boot: %s
          network:
            pods: DC0_DVPG0,subnet=10.8.0.0/24,range=10.8.0.10-10.8.0.99,dns=10.8.0.2,dns=10.8.0.3
          """
              .formatted(
                  lab.url(),
                  lab.authority().file(),
                  lab.administrator().user(),
                  lab.administrator().file(),
                  directory));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  @DisplayName("makes, lists, shows and removes a VCH")
  void wholeLife() {
    assertEquals(0, run(with("create", "shown")), errors::toString);
    assertEquals("shown created\n", output.toString());
    assertEquals("", errors.toString());

    assertEquals(0, run(with("create", "shown")));
    assertEquals("shown unchanged\n", output.toString());
    assertEquals(0, run(with("create", "shown", "--memory-limit", "4Gi")));
    assertTrue(output.toString().startsWith("shown changed\n  limits: "), output::toString);

    assertEquals(0, run(with("ls")));
    List<String> lines = output.toString().lines().toList();
    assertTrue(lines.getFirst().startsWith("NAME    STATE"), output::toString);
    assertTrue(lines.get(1).matches("shown +ready +DC0 +DC0_C0 .*"), output::toString);
    assertEquals(0, run(with("ls", "-o", "json")));
    JsonNode listed = JsonMapper.shared().readTree(output.toString()).get(0);
    assertTrue(listed.path("finished").asBoolean());

    assertEquals(0, run(with("inspect", "shown")));
    assertTrue(output.toString().contains("10.8.0.10 to 10.8.0.99"), output::toString);
    assertTrue(output.toString().contains("4096 MiB"), output::toString);
    assertEquals(0, run(with("inspect", "shown", "-o", "json")));
    JsonNode shown = JsonMapper.shared().readTree(output.toString());
    assertEquals("6.1", shown.path("record").path("kernelVersion").asString());

    String user = new LabUser(lab).name();
    assertEquals(0, run(with("grant", "shown", "--operations-user", user)), errors::toString);
    assertTrue(
        output.toString().contains("berth-operations-pool on DC0/host/DC0_C0/Resources/shown\n"),
        output::toString);
    assertEquals(0, run(with("grant", "shown", "--operations-user", user)));
    assertEquals(user + " has all of it already\n", output.toString());
    assertEquals(1, run(with("grant", "shown", "--operations-user", "nobody")));
    assertTrue(
        errors.toString().contains("operations-user: vCenter knows no user nobody"),
        errors::toString);

    assertEquals(0, run(with("delete", "shown")));
    assertEquals("shown deleted\n", output.toString());
    assertEquals(0, run(with("delete", "shown")));
    assertEquals("shown is not there: nothing to delete\n", output.toString());
    assertEquals(CommandFailure.FAILURE, run(with("inspect", "shown")));
    assertTrue(errors.toString().startsWith("berth vch inspect: there is no VCH \"shown\""));
  }

  @Test
  @DisplayName("tells all that vCenter has not, a line for each")
  void problems() {
    List<String> arguments =
        with("create", "shown", "--compute", "C9", "--datastore", "ds9", "--control", "x:1");
    assertEquals(CommandFailure.FAILURE, run(arguments));
    List<String> lines = errors.toString().lines().toList();
    for (String start :
        List.of(
            "control: \"x:1\" must have the form tcp://ADDRESS:PORT",
            "compute: there is no cluster or host \"C9\"; there are DC0_C0",
            "datastore: there is no datastore \"ds9\"; there are LocalDS_0")) {
      assertTrue(
          lines.stream().anyMatch(line -> line.startsWith("berth vch create: " + start)),
          errors::toString);
    }
    assertEquals(3, lines.size(), errors::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--network|pods|network: \"pods\": write NAME=PORTGROUP",
        "--network|pods=P|network: pods: subnet is missing",
        "--network|pods=P,subnet=10.0.0.0/24,range=10.0.1.1-10.0.1.2|must be an address of 10.0.0.0/24",
        "--network|pods=P,subnet=10.0.0.0/24,range=10.0.0.1|range \"10.0.0.1\": write FIRST-LAST",
        "--network|pods=P,subnet=10.0.0.0/24,mtu=9|mtu must be 576 to 9000",
        "--network|pods=P,subnet=10.0.0.0/24,dns=x|name server \"x\"",
        "--network|Pods=P,subnet=10.0.0.0/24|network name \"Pods\"",
        "--cpu-limit|fast|cpu-limit: \"fast\" must be a whole number",
        "--memory-limit|lots|memory-limit: \"lots\" is no amount",
        "--boot|/no/such|boot: /no/such is no directory",
        "--vcenter|http://vc|vcenter: a vCenter's URL is https://HOST",
        "--vcenter-thumbprint|12|vcenter-thumbprint: cannot be given beside vcenter-ca-file",
        "--vcenter-password-file|/no/such|vcenter-password-file: /no/such is no file",
      })
  @DisplayName("names a wrong setting and how to mend it")
  void wrongSettings(String flag, String value, String message) {
    assertEquals(CommandFailure.USAGE, run(with("create", "shown", flag, value)));
    assertTrue(errors.toString().contains(message), errors::toString);
    assertEquals(1, errors.toString().lines().count(), errors::toString);
  }

  @Test
  @DisplayName("reads no password that others can read")
  void passwordOfOthers() throws IOException {
    Path file = Files.writeString(directory.resolve("password"), "secret");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertEquals(CommandFailure.USAGE, run(with("ls", "--vcenter-password-file", file.toString())));
    assertEquals(
        "berth vch ls: vcenter-password-file: %s can be read by others than its owner: chmod 600 it\n"
            .formatted(file),
        errors.toString());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    assertEquals(
        CommandFailure.FAILURE, run(with("ls", "--vcenter-password-file", file.toString())));
    assertFalse(errors.toString().contains("secret"), errors::toString);
    assertEquals(1, errors.toString().lines().count(), errors::toString);
  }

  @Test
  @DisplayName("lists privileges without a vCenter")
  void privileges() {
    assertEquals(0, run(List.of("vch", "privileges")));
    assertTrue(output.toString().contains("Resource.CreatePool"), output::toString);
    assertEquals(CommandFailure.USAGE, run(List.of("vch")));
  }
}
