package dev.berth.portlayer.image.registry;

import java.net.URI;

/**
 * One place that serves a registry's content: the registry itself or a mirror of it.
 *
 * @param base scheme, host and port, without a path
 * @param host host[:port] by which credentials are looked up: the registry's name for the registry
 *     itself (docker.io, not where its API lives)
 * @param prefix put before a repository's path; empty or ending in {@code /}
 */
record Endpoint(URI base, String host, String prefix, boolean mirror) {
  static Endpoint registry(String registry, boolean plainHttp) {
    String api = registry.equals("docker.io") ? "registry-1.docker.io" : registry;
    return new Endpoint(
        URI.create((plainHttp ? "http://" : "https://") + api), registry, "", false);
  }

  static Endpoint mirror(URI mirror) {
    String path = mirror.getPath() == null ? "" : mirror.getPath();
    String prefix = path.replaceAll("^/+|/+$", "").replaceAll("^v2(/|$)", "");
    String authority = mirror.getRawAuthority();
    return new Endpoint(
        URI.create(mirror.getScheme() + "://" + authority),
        authority,
        prefix.isEmpty() ? "" : prefix + "/",
        true);
  }

  /** The path that tokens and requests name a repository by. */
  String path(String repository) {
    return prefix + repository;
  }

  URI manifest(String repository, String target) {
    return base.resolve("/v2/" + path(repository) + "/manifests/" + target);
  }

  URI blob(String repository, String digest) {
    return base.resolve("/v2/" + path(repository) + "/blobs/" + digest);
  }

  boolean plainHttp() {
    return base.getScheme().equals("http");
  }
}
