package dev.berth.portlayer.vsphere.client;

import java.net.URI;
import java.time.Duration;
import java.util.Objects;

/**
 * Which vCenter, and how to get there.
 *
 * @param url {@code https://} with a host and perhaps a port, without a path
 * @param connectTimeout for one connection
 * @param callTimeout for one answer
 * @param patience how long a call is repeated, where repeating is safe, before it fails
 * @param updateWait how long vCenter may keep a request for updates open; that a connection has
 *     silently died is noticed after this and {@code callTimeout}
 */
public record VimSettings(
    URI url,
    Trust trust,
    Credentials credentials,
    Duration connectTimeout,
    Duration callTimeout,
    Duration patience,
    Duration updateWait) {
  public VimSettings {
    Objects.requireNonNull(trust, "trust");
    Objects.requireNonNull(credentials, "credentials");
    boolean bare = url.getRawPath() == null || url.getRawPath().matches("/?");
    if (!"https".equalsIgnoreCase(url.getScheme()) || url.getHost() == null || !bare) {
      throw new IllegalArgumentException(
          "a vCenter's URL is https://HOST or https://HOST:PORT, but this is " + url);
    }
    if (url.getRawUserInfo() != null || url.getRawQuery() != null) {
      throw new IllegalArgumentException("a vCenter's URL holds no user and no query");
    }
    url = URI.create("https://" + url.getRawAuthority());
  }

  /** With time-outs that suit a vCenter in the same site. */
  public VimSettings(URI url, Trust trust, Credentials credentials) {
    this(
        url,
        trust,
        credentials,
        Duration.ofSeconds(10),
        Duration.ofSeconds(60),
        Duration.ofSeconds(60),
        Duration.ofSeconds(30));
  }
}
