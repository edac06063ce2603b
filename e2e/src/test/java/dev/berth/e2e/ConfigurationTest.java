package dev.berth.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("e2e")
@ExtendWith(Installation.Resolver.class)
@DisplayName("What berth is told wrongly is one line that names it, and exit code 2:")
class ConfigurationTest {
  private static final String SECRET = "open-sesame";

  private final Installation berth;

  @TempDir private Path directory = Path.of("");

  ConfigurationTest(Installation berth) {
    this.berth = berth;
  }

  @ParameterizedTest
  @CsvSource({
    "kubelet --no-such-flag, --no-such-flag",
    "kubelet --port seventy, seventy",
    "kubelet --network not-a-subnet, not-a-subnet",
    "no-such-command, no-such-command",
  })
  @DisplayName("flags")
  void flags(String arguments, String named) {
    Command.Result result = berth(arguments.split(" ", -1));
    assertTrue(result.error().contains(named), result.error());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "^node-name|nodename|nodename: there is no such setting; did you mean node-name?",
        "^port: .*|port: [many]|port: \"many\" must be a whole number from 1 to 65535",
        "^tls-certificate: .*|tls-certificate: /no/such.crt|tls-certificate: /no/such.crt is no file",
        "^(kubeconfig: .*/).*|$1ca.crt|kubeconfig: %s/ca.crt: is neither YAML nor JSON",
        "^(tls-key: .*/).*|$1client.key|tls-key: %s/client.key is not the key of tls-certificate",
        "^port: .*|port: \"1: open-sesame|is neither YAML nor JSON at line 7",
      })
  @DisplayName("a file")
  void file(String line, String instead, String message) throws IOException {
    Path node = berth.credentials();
    String good =
        """
        node-name: %1$s
        directory: %2$s/vch
        boot: %3$s
        kubeconfig: %4$s/kubeconfig
        tls-certificate: %4$s/serving.crt
        tls-key: %4$s/serving.key
        port: 10250
        """
            .formatted(berth.name(), directory, berth.boot(), node);
    Path file = directory.resolve("berth.yaml");
    Files.writeString(file, good.replaceFirst("(?m)" + line, instead));
    Command.Result result = berth("kubelet", "--config", file.toString());
    String told = message.formatted(node);
    assertTrue(
        result.error().lines().anyMatch(text -> text.contains(file + ": ") && text.contains(told)),
        result.error());
    assertFalse(Files.exists(directory.resolve("vch")), "something was started");
  }

  @Test
  @DisplayName("a file that cannot be read")
  void unreadable() {
    Command.Result result = berth("kubelet", "--config", directory.toString());
    assertEquals(
        "berth kubelet: config: %s: is a directory: name a file\n".formatted(directory),
        result.error());
  }

  private Command.Result berth(String... arguments) {
    List<String> all = new ArrayList<>(List.of(berth.command("berth")));
    all.addAll(Arrays.asList(arguments));
    Command.Result result = Command.of(all).run().expect(2);
    assertFalse(result.error().contains("Exception"), result.error());
    assertFalse(result.error().contains("\tat "), result.error());
    assertFalse(result.error().contains(SECRET), result.error());
    return result;
  }
}
