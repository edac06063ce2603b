package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.Failures;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Reads images from registries. Safe for many threads; connections and tokens are shared and kept
 * from one pull to the next.
 */
public final class RegistryClient implements AutoCloseable {
  private final Map<String, RegistryConfiguration> configurations = new LinkedHashMap<>();
  private final List<String> allowed;
  private final Optional<DockerConfiguration> docker;
  private final RegistryTransport transport;
  private final Authorizer authorizer;

  /**
   * @param configurations of the registries that need any
   * @param allowed {@code host[:port]} or {@code host/path} prefixes; empty allows every registry
   * @param dockerConfiguration a Docker configuration file to take credentials from
   * @param stall how long a registry may be silent
   */
  public RegistryClient(
      List<RegistryConfiguration> configurations,
      List<String> allowed,
      Optional<Path> dockerConfiguration,
      Duration stall) {
    configurations.forEach(one -> this.configurations.put(one.registry(), one));
    this.allowed = List.copyOf(allowed);
    this.docker = dockerConfiguration.map(DockerConfiguration::new);
    this.transport = new RegistryTransport(this.configurations, stall);
    this.authorizer = new Authorizer(transport);
  }

  /** One pull's view of a registry. */
  public final class Pull {
    private final ImageReference reference;
    private final RegistrySession session;

    private Pull(ImageReference reference, RegistrySession session) {
      this.reference = reference;
      this.session = session;
    }

    /** Asks with one request for the digest; empty when the registry doesn't tell. */
    public Optional<Digest> digest() {
      return resolving(() -> new ImageResolver(session).digest(reference));
    }

    /** Fetches manifests and configuration of the given or the reference's own target. */
    public ResolvedImage resolve(Optional<Digest> target) {
      String wanted = target.map(Digest::toString).orElseGet(reference::target);
      return resolving(() -> new ImageResolver(session).resolve(wanted));
    }

    private <T> T resolving(Supplier<T> question) {
      try {
        return question.get();
      } catch (PortLayerException e) {
        throw Failures.during("failed to resolve reference \"" + reference + "\"", e);
      }
    }

    /**
     * Brings a blob into {@code partial}, continuing what is there, verified and synced.
     *
     * @throws PortLayerException CORRUPT, RESOURCE_EXHAUSTED, NOT_FOUND, UNAVAILABLE,
     *     UNAUTHENTICATED, DEADLINE_EXCEEDED, INTERRUPTED, all naming the blob
     */
    public void download(Descriptor blob, Path partial) {
      try {
        new BlobDownload(session, blob, partial).run();
      } catch (PortLayerException e) {
        throw Failures.during(
            "failed to pull image \"%s\": failed to copy layer %s"
                .formatted(reference, blob.digest()),
            e);
      }
    }
  }

  /**
   * Begins a pull; nothing is sent yet.
   *
   * @param credentials tried before the Docker configuration file's
   * @param deadline asked before each wait, because others may join a pull and extend it
   * @throws PortLayerException PERMISSION_DENIED when the allow-list forbids it
   */
  public Pull begin(
      ImageReference reference,
      List<RegistryCredentials> credentials,
      Supplier<Deadline> deadline) {
    checkAllowed(reference);
    RegistrySession session =
        new RegistrySession(
            transport,
            authorizer,
            reference.repository(),
            endpoints(reference.registry()),
            endpoint -> keys(endpoint, reference, credentials, deadline.get()),
            deadline);
    return new Pull(reference, session);
  }

  private void checkAllowed(ImageReference reference) {
    String name = reference.name();
    boolean match =
        allowed.isEmpty()
            || allowed.stream()
                .anyMatch(prefix -> name.equals(prefix) || name.startsWith(prefix + "/"));
    if (!match) {
      throw new PortLayerException(
          Code.PERMISSION_DENIED,
          "failed to pull image \"%s\": registry %s is not on the allow-list (%s)"
              .formatted(reference, reference.registry(), String.join(", ", allowed)));
    }
  }

  private List<Endpoint> endpoints(String registry) {
    List<Endpoint> endpoints = new ArrayList<>();
    RegistryConfiguration configuration = configurations.get(registry);
    if (configuration != null) {
      configuration.mirrors().forEach(mirror -> endpoints.add(Endpoint.mirror(mirror)));
    }
    endpoints.add(Endpoint.registry(registry, configuration != null && configuration.plainHttp()));
    return endpoints;
  }

  private List<RegistryCredentials> keys(
      Endpoint endpoint,
      ImageReference reference,
      List<RegistryCredentials> own,
      Deadline deadline) {
    String path = endpoint.path(reference.repository());
    List<RegistryCredentials> keys = new ArrayList<>(Keyring.matching(own, endpoint.host(), path));
    docker.ifPresent(
        file ->
            keys.addAll(
                Keyring.matching(
                    file.credentials(endpoint.host(), deadline), endpoint.host(), path)));
    return keys;
  }

  @Override
  public void close() {
    transport.close();
  }
}
