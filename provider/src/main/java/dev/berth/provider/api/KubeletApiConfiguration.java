package dev.berth.provider.api;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How the kubelet's API listens. The files are read again when they change.
 *
 * @param nodeName the node whose subresources callers must be allowed
 * @param address where to listen; port 0 takes any free one
 * @param certificate PEM file: the server's certificate and its chain
 * @param privateKey PEM file: its key (PKCS#8, PKCS#1 or SEC1, not encrypted)
 * @param clientAuthority PEM file: who signs the certificates of clients; empty takes none
 * @param streamCreationTimeout how long a client may take to open the streams it asked for
 * @param streamIdleTimeout after which an exec, attach or port-forward with no traffic is closed
 * @param drainTimeout how long {@link KubeletApiServer#close} lets running requests go on
 */
public record KubeletApiConfiguration(
    String nodeName,
    InetSocketAddress address,
    Path certificate,
    Path privateKey,
    Optional<Path> clientAuthority,
    Duration streamCreationTimeout,
    Duration streamIdleTimeout,
    Duration drainTimeout) {
  /** The port on which a kubelet is expected. */
  public static final int DEFAULT_PORT = 10250;

  public KubeletApiConfiguration {
    Objects.requireNonNull(nodeName, "nodeName");
    Objects.requireNonNull(address, "address");
    Objects.requireNonNull(certificate, "certificate");
    Objects.requireNonNull(privateKey, "privateKey");
    requirePositive(streamCreationTimeout, "streamCreationTimeout");
    requirePositive(streamIdleTimeout, "streamIdleTimeout");
    if (drainTimeout.isNegative()) {
      throw new IllegalArgumentException("drainTimeout must not be negative: " + drainTimeout);
    }
  }

  /** With the kubelet's own time limits, and 30 seconds to drain. */
  public static KubeletApiConfiguration of(
      String nodeName,
      InetSocketAddress address,
      Path certificate,
      Path privateKey,
      Optional<Path> clientAuthority) {
    return new KubeletApiConfiguration(
        nodeName,
        address,
        certificate,
        privateKey,
        clientAuthority,
        Duration.ofSeconds(30),
        Duration.ofHours(4),
        Duration.ofSeconds(30));
  }

  private static void requirePositive(Duration duration, String name) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(name + " must be positive: " + duration);
    }
  }
}
