package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.VirtualPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A cluster that was there before and stays when the VCH goes. All that is done in it by the given
 * kubeconfig is to ask for the node's certificates, to approve them, and to delete the node in the
 * end; the rest the node does itself, with the rights of a node.
 */
final class ExistingCluster {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Pattern SOURCE = Pattern.compile("\\bsrc (\\S+)");
  private static final Pattern HOST_PORT = Pattern.compile("([0-9.]+):([0-9]+)");

  private final String kubectl;
  private final Path kubeconfig;
  private final NodeCredentials credentials;

  /**
   * @param directory the installation's; holds a copy of the kubeconfig and the credentials
   */
  ExistingCluster(String kubectl, Path directory) {
    this.kubectl = kubectl;
    this.kubeconfig = directory.resolve("kubeconfig");
    this.credentials = new NodeCredentials(directory.resolve("node"));
  }

  NodeCredentials credentials() {
    return credentials;
  }

  /** Whether the installation's node is in such a cluster. */
  boolean joined() {
    return Files.exists(credentials.directory());
  }

  /**
   * Keeps the given file's current context and nothing else of it, with all that it refers to.
   *
   * @throws QuickstartException when it is none
   */
  void use(Path given) {
    String text =
        Shell.require(
            kubectl,
            "--kubeconfig",
            given.toString(),
            "config",
            "view",
            "--raw",
            "--minify",
            "--flatten",
            "-o",
            "json");
    PrivateFiles.write(kubeconfig, text);
  }

  /** This host's address by which the cluster reaches the node: that by which it is reached. */
  String nodeAddress(Addresses own) {
    String server = server();
    try {
      InetAddress address = InetAddress.getByName(URI.create(server).getHost());
      if (address.isLoopbackAddress()) {
        return own.host();
      }
      String route = Shell.require("ip", "route", "get", address.getHostAddress());
      Matcher source = SOURCE.matcher(route);
      if (source.find()) {
        return source.group(1);
      }
      throw new QuickstartException("no route to the API server " + server + ": " + route);
    } catch (IOException | IllegalArgumentException e) {
      throw new QuickstartException("the API server " + server + " has no address", e);
    }
  }

  private String server() {
    return given().at("/clusters/0/cluster/server").asString("");
  }

  private JsonNode given() {
    try {
      return JSON.readTree(Files.readAllBytes(kubeconfig));
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + kubeconfig + ": " + e.getMessage(), e);
    }
  }

  /** The service {@code kubernetes}; empty when the cluster tells no endpoint for a pod. */
  Optional<VirtualPort> kubernetesService() {
    Matcher service =
        HOST_PORT.matcher(
            ask(
                "get service kubernetes -n default -o",
                "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}"));
    Matcher endpoint =
        HOST_PORT.matcher(
            ask(
                "get endpointslice kubernetes -n default --ignore-not-found -o",
                "jsonpath={.endpoints[0].addresses[0]}:{.ports[0].port}"));
    return service.matches() && endpoint.matches()
        ? Optional.of(
            new VirtualPort(
                service.group(1),
                Integer.parseInt(service.group(2)),
                new HostPort(endpoint.group(1), Integer.parseInt(endpoint.group(2)))))
        : Optional.empty();
  }

  /** Sees to it that the node has credentials, those of last time if they still serve. */
  void join(String node, String address) {
    PrivateFiles.directory(credentials.directory());
    new NodeCertificates(this::command, credentials, node, address).ensure(server());
    PrivateFiles.write(
        credentials.clientAuthority(),
        ask(
            "get configmap extension-apiserver-authentication -n kube-system -o",
            "jsonpath={.data.client-ca-file}"));
    PrivateFiles.write(credentials.kubeconfig(), kubeconfigOf(node));
  }

  /** The given one with the node's own user. */
  private String kubeconfigOf(String node) {
    Map<String, String> user =
        Map.of(
            "client-certificate-data",
            encoded("client.crt"),
            "client-key-data",
            encoded("client.key"));
    Map<String, Object> context = Map.of("cluster", "cluster", "user", node);
    return JSON.writeValueAsString(
        Map.of(
            "apiVersion",
            "v1",
            "kind",
            "Config",
            "clusters",
            List.of(Map.of("name", "cluster", "cluster", given().at("/clusters/0/cluster"))),
            "users",
            List.of(Map.of("name", node, "user", user)),
            "contexts",
            List.of(Map.of("name", node, "context", context)),
            "current-context",
            node));
  }

  private String encoded(String name) {
    Path file = credentials.directory().resolve(name);
    try {
      return Base64.getEncoder().encodeToString(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Deletes the node and its credentials. Idempotent. */
  void leave(String node) {
    Shell.Result result =
        Shell.run(command("delete", "node", node, "--ignore-not-found", "--timeout=30s"), "");
    if (result.exitCode() != 0) {
      throw new QuickstartException(
          "everything is stopped, but node %s is still in the cluster: %s%nWhere the cluster itself is gone, delete %s"
              .formatted(node, result.output(), credentials.directory()));
    }
    HostFiles.delete(credentials.directory());
  }

  private String ask(String words, String last) {
    List<String> all = new ArrayList<>(Arrays.asList(words.split(" ", -1)));
    all.add(last);
    return Shell.require(command(all.toArray(String[]::new)).toArray(String[]::new));
  }

  private List<String> command(String... words) {
    List<String> all = new ArrayList<>(List.of(kubectl, "--kubeconfig", kubeconfig.toString()));
    all.addAll(List.of(words));
    return all;
  }
}
