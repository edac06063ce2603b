package dev.berth.provider.api;

import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.provider.api.PodDirectory.ContainerTarget;
import dev.berth.provider.api.stream.CommandOptions;
import dev.berth.provider.api.stream.CommandStatus;
import dev.berth.provider.api.stream.CommandStreams;
import dev.berth.provider.api.stream.RemoteCommand;
import dev.berth.provider.api.stream.SpdyCommandStreams;
import dev.berth.provider.api.stream.SpdyConnection;
import dev.berth.provider.api.stream.StreamProtocols;
import dev.berth.provider.api.stream.Upgrades;
import dev.berth.provider.api.stream.WebSocketCommandStreams;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exec and attach: {@code /exec/{namespace}/{pod}[/{uid}]/{container}}, over SPDY or WebSockets.
 */
final class CommandEndpoint {
  private static final Logger log = LoggerFactory.getLogger(CommandEndpoint.class);

  private final PodDirectory directory;
  private final InteractionService interaction;
  private final KubeletApiConfiguration configuration;

  CommandEndpoint(
      PodDirectory directory,
      InteractionService interaction,
      KubeletApiConfiguration configuration) {
    this.directory = directory;
    this.interaction = interaction;
    this.configuration = configuration;
  }

  /** Which container a path names. */
  record Address(String namespace, String pod, Optional<String> uid, String container) {}

  void exec(Exchange exchange, Address address) throws IOException {
    CommandOptions options = options(exchange.request());
    ContainerTarget target = runningTarget(address);
    List<String> command = exchange.request().query().getOrDefault("command", List.of());
    if (command.isEmpty()) {
      throw new ApiException(400, "exec needs at least one command parameter");
    }
    var specification =
        new ExecSpec(command, options.terminal(), options.stdin(), Optional.empty());
    serve(
        exchange,
        options,
        () -> interaction.exec(target.containerVmId(), specification),
        "executing command in container",
        exit -> CommandStatus.exited(exit.code()));
  }

  void attach(Exchange exchange, Address address) throws IOException {
    CommandOptions options = options(exchange.request());
    ContainerTarget target = runningTarget(address);
    boolean stdin = options.stdin() && target.stdin();
    serve(
        exchange,
        options,
        () -> interaction.attach(target.containerVmId(), stdin),
        "attaching to container",
        exit -> CommandStatus.success());
  }

  private ContainerTarget runningTarget(Address address) {
    ContainerTarget target =
        directory.container(address.namespace(), address.pod(), address.uid(), address.container());
    if (target.ended() || target.currentAttempt().isEmpty()) {
      throw new ApiException(500, "container not found (\"%s\")".formatted(address.container()));
    }
    return target;
  }

  private static CommandOptions options(ApiRequest request) {
    var options =
        new CommandOptions(
            request.flag("input") || request.flag("stdin"),
            request.flag("output") || request.flag("stdout"),
            request.flag("error") || request.flag("stderr"),
            request.flag("tty"));
    if (!options.stdin() && !options.stdout() && !options.stderr()) {
      throw new ApiException(400, "you must specify at least 1 of stdin, stdout, stderr");
    }
    return options;
  }

  private void serve(
      Exchange exchange,
      CommandOptions options,
      Supplier<ProcessSession> opener,
      String action,
      Function<ProcessSession.Exit, CommandStatus> outcome)
      throws IOException {
    Optional<CommandStreams> streams =
        exchange.request().asksUpgradeTo("websocket")
            ? overWebSocket(exchange, options)
            : overSpdy(exchange, options);
    if (streams.isPresent()) {
      new RemoteCommand(streams.get(), options).run(opener, action, outcome);
    }
  }

  private Optional<CommandStreams> overWebSocket(Exchange exchange, CommandOptions options)
      throws IOException {
    WebSocketNegotiation.check(exchange.request(), WebSocketCommandStreams.PROTOCOLS);
    exchange.upgraded();
    return Optional.of(
        Upgrades.toWebSocketCommand(
            exchange.channel(),
            exchange.nettyRequest(),
            configuration.streamIdleTimeout(),
            options));
  }

  private Optional<CommandStreams> overSpdy(Exchange exchange, CommandOptions options)
      throws IOException {
    Optional<String> protocol = SpdyNegotiation.choose(exchange, StreamProtocols.COMMAND);
    int version = protocol.map(StreamProtocols::version).orElse(1);
    var collector = new SpdyCommandStreams.Collector(options, version);
    exchange.upgraded();
    SpdyConnection connection =
        Upgrades.toSpdy(
            exchange.channel(), protocol, configuration.streamIdleTimeout(), collector::accept);
    try {
      if (collector.await(connection, configuration.streamCreationTimeout())) {
        return Optional.of(collector.streams(connection, version));
      }
      log.info("{} did not open the streams it asked for", exchange.channel().remoteAddress());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    connection.close();
    return Optional.empty();
  }
}
