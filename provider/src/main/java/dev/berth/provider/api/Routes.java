package dev.berth.provider.api;

import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.provider.api.CommandEndpoint.Address;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** Which path means what. */
final class Routes {
  private final ContainerLogsEndpoint logs;
  private final CommandEndpoint commands;
  private final PortForwardEndpoint portForward;
  private final NodeEndpoints node;

  Routes(
      PodDirectory directory,
      InteractionService interaction,
      KubeletApiConfiguration configuration,
      NodeEndpoints node) {
    this.logs = new ContainerLogsEndpoint(directory, interaction);
    this.commands = new CommandEndpoint(directory, interaction, configuration);
    this.portForward = new PortForwardEndpoint(directory, interaction, configuration);
    this.node = node;
  }

  /**
   * @throws ApiException 404 for an unknown path, 405 for a method that the path does not have
   */
  void dispatch(Exchange exchange) throws IOException {
    List<String> path = exchange.request().segments();
    String root = path.isEmpty() ? "" : path.getFirst();
    switch (root + "/" + (path.size() - 1)) {
      case "containerLogs/3" -> {
        requireMethod(exchange, "GET");
        logs.serve(exchange, path.get(1), path.get(2), path.get(3));
      }
      case "exec/3", "exec/4" -> {
        requireMethod(exchange, "GET", "POST");
        commands.exec(exchange, address(path));
      }
      case "attach/3", "attach/4" -> {
        requireMethod(exchange, "GET", "POST");
        commands.attach(exchange, address(path));
      }
      case "portForward/2", "portForward/3" -> {
        requireMethod(exchange, "GET", "POST");
        portForward.serve(
            exchange,
            path.get(1),
            path.get(2),
            path.size() == 4 ? Optional.of(path.get(3)) : Optional.empty());
      }
      default -> serveNode(exchange);
    }
  }

  private void serveNode(Exchange exchange) throws IOException {
    requireMethod(exchange, "GET");
    switch (exchange.request().path()) {
      case "/pods", "/pods/" -> node.pods(exchange);
      case "/runningpods", "/runningpods/" -> node.runningPods(exchange);
      case "/healthz", "/healthz/", "/healthz/syncloop" -> node.health(exchange);
      case "/healthz/ping", "/healthz/log" -> node.ping(exchange);
      case "/metrics" -> node.metrics(exchange);
      case "/metrics/resource" -> node.resourceMetrics(exchange);
      case "/stats/summary" -> node.statsSummary(exchange);
      case "/configz" -> node.configuration(exchange);
      default -> throw new ApiException(404, "404: Page Not Found");
    }
  }

  private static Address address(List<String> path) {
    return path.size() == 4
        ? new Address(path.get(1), path.get(2), Optional.empty(), path.get(3))
        : new Address(path.get(1), path.get(2), Optional.of(path.get(3)), path.get(4));
  }

  private static void requireMethod(Exchange exchange, String... methods) {
    if (!List.of(methods).contains(exchange.request().method())) {
      throw new ApiException(405, "405: Method Not Allowed");
    }
  }
}
