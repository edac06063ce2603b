package dev.berth.provider.api;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.provider.api.PodDirectory.ContainerTarget;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code GET /containerLogs/{namespace}/{pod}/{container}}. */
final class ContainerLogsEndpoint {
  private static final Logger log = LoggerFactory.getLogger(ContainerLogsEndpoint.class);

  private final PodDirectory directory;
  private final InteractionService interaction;

  ContainerLogsEndpoint(PodDirectory directory, InteractionService interaction) {
    this.directory = directory;
    this.interaction = interaction;
  }

  void serve(Exchange exchange, String namespace, String pod, String container) throws IOException {
    LogOptions options = LogOptions.parse(exchange.request(), Instant.now());
    ContainerTarget target = directory.container(namespace, pod, Optional.empty(), container);
    int attempt = attempt(options, target, namespace, pod, container);
    try (LogReader reader = open(target, options, attempt)) {
      copy(exchange, reader, options);
    }
  }

  private LogReader open(ContainerTarget target, LogOptions options, int attempt) {
    try {
      return interaction.logs(target.containerVmId(), options.toRequest(attempt));
    } catch (PortLayerException e) {
      throw new ApiException(400, String.valueOf(e.getMessage()));
    }
  }

  private static void copy(Exchange exchange, LogReader reader, LogOptions options)
      throws IOException {
    OutputStream body = exchange.stream("text/plain; charset=utf-8");
    try {
      new LogCopier(reader, body, options.timestamps(), options.limitBytes())
          .copy(exchange::isClientThere);
      body.close();
    } catch (PortLayerException e) {
      log.warn("Reading a log broke off: {}", e.getMessage());
      exchange.abort();
    }
  }

  private int attempt(
      LogOptions options, ContainerTarget target, String namespace, String pod, String container) {
    OptionalInt attempt = options.previous() ? target.previousAttempt() : target.currentAttempt();
    if (attempt.isPresent()) {
      return attempt.getAsInt();
    }
    if (options.previous()) {
      throw new ApiException(
          400,
          "previous terminated container \"%s\" in pod \"%s\" not found".formatted(container, pod));
    }
    throw new ApiException(
        400,
        "container \"%s\" in pod \"%s\" is waiting to start%s"
            .formatted(container, pod, waiting(namespace, pod, container)));
  }

  private String waiting(String namespace, String podName, String container) {
    return directory.pods().stream()
        .filter(pod -> pod.getMetadata().getNamespace().equals(namespace))
        .filter(pod -> pod.getMetadata().getName().equals(podName))
        .flatMap(pod -> reason(pod, container).stream())
        .findFirst()
        .map(
            reason ->
                switch (reason) {
                  case "ErrImagePull" -> ": image can't be pulled";
                  case "ImagePullBackOff" -> ": trying and failing to pull image";
                  default -> ": " + reason;
                })
        .orElse(" - no logs yet");
  }

  private static Optional<String> reason(Pod pod, String container) {
    if (pod.getStatus() == null) {
      return Optional.empty();
    }
    return pod.getStatus().getContainerStatuses().stream()
        .filter(status -> container.equals(status.getName()))
        .map(ContainerStatus::getState)
        .filter(state -> state != null && state.getWaiting() != null)
        .map(state -> String.valueOf(state.getWaiting().getReason()))
        .findFirst();
  }
}
