package dev.berth.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("The files that berth kubelet is told of")
class KubeletFilesTest {
  private static final String KUBECONFIG =
      """
      clusters: [{name: one, cluster: {server: "https://127.0.0.1:9"}}]
      users: [{name: me, user: {token: open-sesame}}]
      contexts: [{name: here, context: {cluster: one, user: me}}]
      current-context: here
      """;

  @TempDir private Path directory = Path.of("");

  private final StringWriter errors = new StringWriter();

  /** Runs the command with a configuration file that names the others. */
  private List<String> problems(String more) throws IOException {
    Path pem = directory.resolve("file.pem");
    if (!Files.exists(pem)) {
      Files.writeString(pem, "not PEM");
    }
    Files.writeString(directory.resolve("boot.json"), "{}");
    Path file =
        Files.writeString(
            directory.resolve("berth.yaml"),
            """
            node-name: vch-1
            directory: %1$s/vch
            boot: %1$s
            kubeconfig: %1$s/kubeconfig
            tls-certificate: %1$s/file.pem
            tls-key: %1$s/file.pem
            %2$s
            """
                .formatted(directory, more));
    int code =
        BerthCommand.run(
            new PrintWriter(new StringWriter()),
            new PrintWriter(errors, true),
            "kubelet",
            "--config",
            file.toString());
    assertEquals(CommandFailure.USAGE, code, errors::toString);
    assertFalse(errors.toString().contains("open-sesame"), errors::toString);
    return errors.toString().lines().toList();
  }

  private void kubeconfig(String content) throws IOException {
    Files.writeString(directory.resolve("kubeconfig"), content);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "current-context: here|''|current-context: is missing: name one of the contexts",
        "current-context: here|current-context: there|current-context: \"there\" is not among the contexts",
        "cluster: one|cluster: two|contexts[here].cluster: \"two\" is not among the clusters",
        ", user: me||contexts[here].user: is missing: name one of the users",
        "https://127.0.0.1:9|127.0.0.1:9|clusters[one].server: must be the API server's address",
        "token: open-sesame|client-key: gone.key|users[me].client-key: gone.key is no file that can be read",
        "name: me|'name: [me'|is neither YAML nor JSON at line 2",
        "users:|'open-sesame: users:'|is neither YAML nor JSON at line 2"
      })
  @DisplayName("a kubeconfig that cannot work is told by file and field, without its secrets")
  void kubeconfig(String what, String instead, String message) throws IOException {
    kubeconfig(KUBECONFIG.replace(what, instead == null ? "" : instead));
    String line =
        problems("").stream().filter(text -> text.contains("kubeconfig:")).findFirst().orElse("");
    assertTrue(line.contains(directory + "/kubeconfig: " + message), errors::toString);
  }

  @Test
  @DisplayName("certificates and keys are looked into, all before anything starts")
  void certificates() throws IOException {
    kubeconfig(KUBECONFIG);
    String file = directory + "/file.pem";
    String begin = "berth kubelet: " + directory + "/berth.yaml: ";
    assertEquals(
        List.of(
            begin
                + "client-authority: %s holds no CERTIFICATE: name a PEM file with one"
                    .formatted(file),
            begin
                + "tls-certificate: %s holds no CERTIFICATE: name a PEM file with one"
                    .formatted(file),
            begin + "tls-key: %s holds no PRIVATE KEY: name a PEM file with one".formatted(file)),
        problems("client-authority: " + file));
    assertFalse(Files.exists(directory.resolve("vch")));
  }

  @Test
  @DisplayName("a file's content in place of its name is not repeated")
  void content() throws IOException {
    assertEquals(
        List.of(
            "berth kubelet: %s/berth.yaml: registry-config: must be the name of a file or a directory, not its content"
                .formatted(directory)),
        problems("registry-config: '{\"auths\": {\"x\": {\"auth\": \"open-sesame\"}}}'").stream()
            .filter(line -> line.contains("registry-config"))
            .toList());
  }

  @Test
  @DisplayName("a setting of the file is told with the file")
  void setting() throws IOException {
    kubeconfig(KUBECONFIG);
    assertEquals(
        List.of(
            "berth kubelet: %s/berth.yaml: pod-limt: there is no such setting; did you mean pod-limit?"
                .formatted(directory)),
        problems("pod-limt: 3"));
  }
}
