package dev.berth.cli.settings;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Looks into a kubeconfig before it is used, because the client library tells what is wrong with
 * one late, without the place, or with a piece of it. Only what the current context uses counts.
 */
final class Kubeconfig {
  private static final String SETTING = "kubeconfig";

  private final Path file;
  private final JsonNode root;
  private final Problems problems;

  private Kubeconfig(Path file, JsonNode root, Problems problems) {
    this.file = file;
    this.root = root;
    this.problems = problems;
  }

  /** Adds what is wrong with the file. */
  static void check(Path file, Problems problems) {
    try {
      new Kubeconfig(file, Documents.read(file), problems).check();
    } catch (IOException e) {
      problems.add(SETTING, String.valueOf(e.getMessage()));
    }
  }

  private void check() {
    String current = root.path("current-context").asString("");
    if (current.isEmpty()) {
      add("current-context", "is missing: name one of the contexts");
      return;
    }
    Optional<JsonNode> context = named("contexts", current, "context", "current-context");
    if (context.isEmpty()) {
      return;
    }
    String where = "contexts[" + current + "]";
    String cluster = context.get().path("cluster").asString("");
    named("clusters", cluster, "cluster", where + ".cluster")
        .ifPresent(entry -> cluster("clusters[" + cluster + "]", entry));
    String user = context.get().path("user").asString("");
    named("users", user, "user", where + ".user")
        .ifPresent(
            entry ->
                files(
                    "users[" + user + "]",
                    entry,
                    List.of("client-certificate", "client-key", "tokenFile")));
  }

  /** The entry of a list of named ones; a problem of {@code from}, which names it, otherwise. */
  private Optional<JsonNode> named(String list, String name, String kind, String from) {
    if (name.isEmpty()) {
      add(from, "is missing: name one of the " + list);
      return Optional.empty();
    }
    Optional<JsonNode> found =
        root.path(list)
            .valueStream()
            .filter(entry -> entry.path("name").asString("").equals(name))
            .findFirst();
    if (found.isEmpty()) {
      add(from, "\"%s\" is not among the %s: name one that is".formatted(name, list));
    }
    return found.map(entry -> entry.path(kind));
  }

  private void cluster(String where, JsonNode cluster) {
    if (!isServer(cluster.path("server").asString(""))) {
      add(where + ".server", "must be the API server's address, such as https://10.0.0.1:6443");
    }
    files(where, cluster, List.of("certificate-authority"));
  }

  private static boolean isServer(String text) {
    try {
      URI server = URI.create(text);
      return server.getHost() != null && List.of("https", "http").contains(server.getScheme());
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void files(String where, JsonNode entry, List<String> fields) {
    for (String field : fields) {
      String name = entry.path(field).asString("");
      if (!name.isEmpty() && !Files.isReadable(file.resolveSibling(name))) {
        add(where + "." + field, "%s is no file that can be read".formatted(name));
      }
    }
  }

  private void add(String field, String problem) {
    problems.add(SETTING, "%s: %s: %s".formatted(file, field, problem));
  }
}
