package dev.berth.portlayer.storage;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * What to pull.
 *
 * @param reference as written in a manifest: {@code nginx}, {@code
 *     registry.example.com:5000/team/app:1.2}, {@code app@sha256:…}
 * @param credentials tried in order where their scope matches, before those of the port layer's own
 *     configuration, then none
 * @param deadline how long the whole pull may take
 */
public record ImageRequest(
    String reference, List<RegistryCredentials> credentials, Duration deadline) {
  public ImageRequest {
    Objects.requireNonNull(reference, "reference");
    credentials = List.copyOf(credentials);
    if (deadline.isNegative() || deadline.isZero()) {
      throw new IllegalArgumentException("deadline must be positive");
    }
  }
}
