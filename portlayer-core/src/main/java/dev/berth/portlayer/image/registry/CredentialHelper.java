package dev.berth.portlayer.image.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a {@code docker-credential-NAME} program, by Docker's protocol, for credentials. */
final class CredentialHelper {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");
  private static final int MAXIMUM_ANSWER = 1 << 16;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final JsonMapper JSON = new JsonMapper();

  private CredentialHelper() {}

  /**
   * Runs {@code docker-credential-name get}.
   *
   * @param server what to ask for
   * @param scope of the credentials returned
   * @return empty when the helper knows none
   */
  static Optional<RegistryCredentials> get(
      String name, String server, String scope, Deadline deadline) {
    if (!NAME.matcher(name).matches()) {
      throw failed(name, "is no valid name");
    }
    Process process = start(name, server);
    try {
      CompletableFuture<String> answer = new CompletableFuture<>();
      Thread.ofVirtual().start(() -> read(process, answer));
      Duration left = deadline.remaining();
      long millis = Math.min(left.toMillis(), PATIENCE.toMillis());
      String text = answer.get(millis, TimeUnit.MILLISECONDS);
      if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
        throw failed(name, "does not end");
      }
      return process.exitValue() == 0 ? parse(name, text, scope) : refused(name, text);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("asking a credential helper", e);
    } catch (TimeoutException e) {
      throw failed(name, "does not answer");
    } catch (ExecutionException e) {
      throw failed(name, "cannot be read");
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process start(String name, String server) {
    String program = "docker-credential-" + name;
    try {
      Process process = new ProcessBuilder(program, "get").redirectError(Redirect.DISCARD).start();
      try (OutputStream input = process.getOutputStream()) {
        input.write((server + "\n").getBytes(UTF_8));
      } catch (IOException e) {
        // The helper ended without reading; its exit says why.
      }
      return process;
    } catch (IOException e) {
      throw failed(name, "cannot be run: is " + program + " on the PATH?");
    }
  }

  private static void read(Process process, CompletableFuture<String> answer) {
    try {
      answer.complete(new String(process.getInputStream().readNBytes(MAXIMUM_ANSWER), UTF_8));
    } catch (IOException e) {
      answer.completeExceptionally(e);
    }
  }

  private static Optional<RegistryCredentials> refused(String name, String text) {
    if (text.contains("credentials not found")) {
      return Optional.empty();
    }
    throw failed(name, "failed; run it by hand to see why");
  }

  private static Optional<RegistryCredentials> parse(String name, String text, String scope) {
    try {
      JsonNode answer = JSON.readTree(text);
      String user = answer.path("Username").asString("");
      String secret = answer.path("Secret").asString("");
      boolean token = user.equals("<token>");
      return Optional.of(new RegistryCredentials(scope, token ? "" : user, secret, token));
    } catch (JacksonException e) {
      // Without the cause: the parser quotes its input, which holds a secret.
      throw failed(name, "answers with something else than JSON");
    }
  }

  private static PortLayerException failed(String name, String why) {
    return new PortLayerException(
        Code.FAILED_PRECONDITION, "credential helper \"%s\" %s".formatted(name, why));
  }
}
