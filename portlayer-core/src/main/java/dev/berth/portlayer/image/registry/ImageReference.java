package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A reference to an image as Docker and containerd normalise it: {@code nginx} is {@code
 * docker.io/library/nginx:latest}.
 *
 * @param registry host, with a port if one was written
 * @param repository path on the registry, without tag and digest
 * @param tag absent when only a digest was written
 * @param digest decides over the tag when both are there
 */
public record ImageReference(
    String registry, String repository, Optional<String> tag, Optional<Digest> digest) {
  private static final String DEFAULT_REGISTRY = "docker.io";
  private static final Pattern REGISTRY =
      Pattern.compile(
          "(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\\[[0-9a-fA-F:.]+\\])(?::[0-9]{1,5})?");
  private static final Pattern COMPONENT =
      Pattern.compile("[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*");
  private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}");
  private static final Pattern BARE_ID = Pattern.compile("[0-9a-f]{64}");

  /**
   * Reads a reference as written in a manifest.
   *
   * @throws PortLayerException INVALID_ARGUMENT, saying what is wrong with it
   */
  public static ImageReference parse(String text) {
    if (text.isEmpty()) {
      throw invalid(text, "it is empty");
    }
    if (BARE_ID.matcher(text).matches()) {
      throw invalid(text, "a repository cannot be named by 64 hexadecimal digits");
    }
    int at = text.indexOf('@');
    Optional<Digest> digest = at < 0 ? Optional.empty() : Optional.of(digest(text, at));
    String name = at < 0 ? text : text.substring(0, at);
    int colon = name.lastIndexOf(':');
    boolean tagged = colon > name.lastIndexOf('/');
    Optional<String> tag =
        tagged ? Optional.of(tag(text, name.substring(colon + 1))) : Optional.empty();
    if (tag.isEmpty() && digest.isEmpty()) {
      tag = Optional.of("latest");
    }
    return named(text, tagged ? name.substring(0, colon) : name, tag, digest);
  }

  private static ImageReference named(
      String text, String name, Optional<String> tag, Optional<Digest> digest) {
    int slash = name.indexOf('/');
    String first = slash < 0 ? "" : name.substring(0, slash);
    boolean host =
        first.contains(".")
            || first.contains(":")
            || first.equals("localhost")
            || !first.equals(first.toLowerCase(java.util.Locale.ROOT));
    String registry = host ? first : DEFAULT_REGISTRY;
    String repository = host ? name.substring(slash + 1) : name;
    if (registry.equals("index.docker.io")) {
      registry = DEFAULT_REGISTRY;
    }
    if (registry.equals(DEFAULT_REGISTRY) && repository.indexOf('/') < 0) {
      repository = "library/" + repository;
    }
    check(text, registry, repository);
    return new ImageReference(registry, repository, tag, digest);
  }

  private static void check(String text, String registry, String repository) {
    if (!REGISTRY.matcher(registry).matches()) {
      throw invalid(text, "\"" + registry + "\" is no registry host");
    }
    for (String component : repository.split("/", -1)) {
      if (!component.equals(component.toLowerCase(java.util.Locale.ROOT))) {
        throw invalid(text, "repository name must be lowercase");
      }
      if (!COMPONENT.matcher(component).matches()) {
        throw invalid(
            text,
            "repository component \"%s\" must be lower-case letters and digits, separated by '.', '_', '__' or '-'"
                .formatted(component));
      }
    }
    if (registry.length() + 1 + repository.length() > 255) {
      throw invalid(text, "repository name must not be more than 255 characters");
    }
  }

  private static String tag(String text, String tag) {
    if (!TAG.matcher(tag).matches()) {
      throw invalid(
          text,
          "tag \"%s\" must be 1 to 128 letters, digits, '_', '.' or '-', and not begin with '.' or '-'"
              .formatted(tag));
    }
    return tag;
  }

  private static Digest digest(String text, int at) {
    try {
      return Digest.parse(text.substring(at + 1));
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT, message(text, String.valueOf(e.getMessage())), e);
    }
  }

  private static PortLayerException invalid(String text, String why) {
    return new PortLayerException(Code.INVALID_ARGUMENT, message(text, why));
  }

  private static String message(String text, String why) {
    return "failed to parse image reference \"%s\": invalid reference format: %s"
        .formatted(text, why);
  }

  /** {@code registry/repository}. */
  public String name() {
    return registry + "/" + repository;
  }

  /** What a registry is asked for: the digest, else the tag. */
  public String target() {
    return digest.map(Digest::toString).orElseGet(() -> tag.orElse("latest"));
  }

  /** The normalised reference in full. */
  @Override
  public String toString() {
    return name() + tag.map(t -> ":" + t).orElse("") + digest.map(d -> "@" + d).orElse("");
  }
}
