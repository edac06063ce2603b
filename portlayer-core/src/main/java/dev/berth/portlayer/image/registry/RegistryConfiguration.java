package dev.berth.portlayer.image.registry;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How one registry is reached. A registry without configuration is reached by HTTPS at its own host
 * with the Java platform's certificate authorities.
 *
 * @param registry host[:port] as in a reference, such as {@code docker.io}, or a mirror's
 * @param mirrors asked in this order before the registry itself; {@code http} only where written
 *     so; a path is put before the repository's
 * @param plainHttp whether the registry itself is spoken to without TLS
 * @param certificateAuthorities a PEM file of authorities trusted for this host beside the
 *     platform's
 */
public record RegistryConfiguration(
    String registry, List<URI> mirrors, boolean plainHttp, Optional<Path> certificateAuthorities) {
  public RegistryConfiguration {
    mirrors = List.copyOf(mirrors);
    for (URI mirror : mirrors) {
      boolean web = "https".equals(mirror.getScheme()) || "http".equals(mirror.getScheme());
      if (!web || mirror.getHost() == null || mirror.getUserInfo() != null) {
        throw new IllegalArgumentException(
            "mirror \"%s\" of registry %s: must be http:// or https://, a host, and optionally a port and a path"
                .formatted(mirror.getHost(), registry));
      }
    }
  }

  /** A registry reached without TLS. */
  public static RegistryConfiguration plain(String registry) {
    return new RegistryConfiguration(registry, List.of(), true, Optional.empty());
  }
}
