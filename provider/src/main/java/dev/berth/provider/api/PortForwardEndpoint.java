package dev.berth.provider.api;

import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.provider.api.stream.PortRelay;
import dev.berth.provider.api.stream.SpdyConnection;
import dev.berth.provider.api.stream.SpdyPortForward;
import dev.berth.provider.api.stream.StreamProtocols;
import dev.berth.provider.api.stream.Upgrades;
import dev.berth.provider.api.stream.WebSocketPortForward;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;

/** {@code /portForward/{namespace}/{pod}[/{uid}]}: connections to the pod's localhost. */
final class PortForwardEndpoint {
  private final PodDirectory directory;
  private final InteractionService interaction;
  private final KubeletApiConfiguration configuration;

  PortForwardEndpoint(
      PodDirectory directory,
      InteractionService interaction,
      KubeletApiConfiguration configuration) {
    this.directory = directory;
    this.interaction = interaction;
    this.configuration = configuration;
  }

  void serve(Exchange exchange, String namespace, String podName, Optional<String> uid)
      throws IOException {
    Pod pod = pod(namespace, podName, uid);
    IntFunction<ProcessSession> opener = port -> interaction.forwardPort(target(pod, port), port);
    String description = "pod %s, uid %s".formatted(podName, pod.getMetadata().getUid());
    PortRelay relay = new PortRelay(opener, description);
    boolean webSocket = exchange.request().asksUpgradeTo("websocket");
    if (webSocket && !tunnelled(exchange.request())) {
      overWebSocket(exchange, relay);
      return;
    }
    var forward = new SpdyPortForward(relay, configuration.streamCreationTimeout());
    forward.serve(webSocket ? overTunnel(exchange, forward) : overSpdy(exchange, forward));
  }

  /** Clients of old, and any that names no protocol, mean channels. */
  private static boolean tunnelled(ApiRequest request) {
    return request.headerList("sec-websocket-protocol").contains(StreamProtocols.TUNNEL);
  }

  private void overWebSocket(Exchange exchange, PortRelay relay) throws IOException {
    WebSocketNegotiation.check(
        exchange.request(), List.of(StreamProtocols.TUNNEL, WebSocketPortForward.PROTOCOL));
    WebSocketPortForward forward = new WebSocketPortForward(ports(exchange.request()), relay);
    exchange.upgraded();
    forward.serve(
        Upgrades.toWebSocketPortForward(
            exchange.channel(),
            exchange.nettyRequest(),
            configuration.streamIdleTimeout(),
            forward));
  }

  private static List<Integer> ports(ApiRequest request) {
    try {
      return WebSocketPortForward.ports(request.query().getOrDefault("port", List.of()));
    } catch (IllegalArgumentException e) {
      throw new ApiException(400, String.valueOf(e.getMessage()));
    }
  }

  private SpdyConnection overSpdy(Exchange exchange, SpdyPortForward forward) throws IOException {
    Optional<String> protocol = SpdyNegotiation.choose(exchange, StreamProtocols.PORT_FORWARD);
    exchange.upgraded();
    return Upgrades.toSpdy(
        exchange.channel(), protocol, configuration.streamIdleTimeout(), forward::accept);
  }

  private SpdyConnection overTunnel(Exchange exchange, SpdyPortForward forward) throws IOException {
    WebSocketNegotiation.check(exchange.request(), List.of(StreamProtocols.TUNNEL));
    exchange.upgraded();
    return Upgrades.toTunnelledSpdy(
        exchange.channel(),
        exchange.nettyRequest(),
        configuration.streamIdleTimeout(),
        forward::accept);
  }

  private Pod pod(String namespace, String name, Optional<String> uid) {
    Pod pod =
        directory.pods().stream()
            .filter(candidate -> namespace.equals(candidate.getMetadata().getNamespace()))
            .filter(candidate -> name.equals(candidate.getMetadata().getName()))
            .findFirst()
            .orElseThrow(() -> new ApiException(404, "pod does not exist"));
    if (uid.isPresent() && !uid.get().equals(pod.getMetadata().getUid())) {
      throw new ApiException(404, "pod not found");
    }
    return pod;
  }

  /** The containerVM of the container that declares the port, or else of the first one. */
  private String target(Pod pod, int port) {
    List<Container> containers = pod.getSpec().getContainers();
    Container container =
        containers.stream()
            .filter(candidate -> declares(candidate, port))
            .findFirst()
            .orElse(containers.getFirst());
    return directory
        .container(
            pod.getMetadata().getNamespace(),
            pod.getMetadata().getName(),
            Optional.ofNullable(pod.getMetadata().getUid()),
            container.getName())
        .containerVmId();
  }

  private static boolean declares(Container container, int port) {
    return container.getPorts().stream()
        .anyMatch(declared -> Integer.valueOf(port).equals(declared.getContainerPort()));
  }
}
