package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Follows a reference through its manifests to one image for this platform. */
final class ImageResolver {
  private static final int MAXIMUM_DEPTH = 4;
  private static final int MAXIMUM_ATTEMPTS = 4;

  /** As containerd's limit. */
  private static final int MAXIMUM_DOCUMENT = 8 << 20;

  private static final JsonMapper JSON = new JsonMapper();

  private record Document(String mediaType, Digest digest, JsonNode json) {}

  private interface Question {
    RegistryResponse ask();
  }

  private final RegistrySession session;

  ImageResolver(RegistrySession session) {
    this.session = session;
  }

  /** Costs one request; empty when the registry doesn't tell the digest. */
  Optional<Digest> digest(ImageReference reference) {
    try (RegistryResponse response = session.manifest("HEAD", reference.target())) {
      return Optional.of(Digest.parse(response.header("Docker-Content-Digest")));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    } catch (PortLayerException e) {
      // Some registries know no HEAD; the GET that follows tells the failure, if it is one.
      if (e.code() == Code.INTERNAL) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * Fetches manifests and configuration.
   *
   * @param target a digest where one is known, else the tag
   */
  ResolvedImage resolve(String target) {
    Document root = manifest(target, null);
    Set<String> seen = new LinkedHashSet<>();
    ResolvedImage image = descend(root, root.digest(), 0, seen);
    if (image == null) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "no match for platform linux/amd64 in manifest: it offers "
              + (seen.isEmpty() ? "nothing" : String.join(", ", seen)));
    }
    return image;
  }

  private @Nullable ResolvedImage descend(
      Document document, Digest target, int depth, Set<String> seen) {
    if (MediaTypes.isManifest(document.mediaType())) {
      return image(document, target, seen);
    }
    if (depth >= MAXIMUM_DEPTH) {
      throw new PortLayerException(Code.CORRUPT, "manifest indexes are nested too deeply");
    }
    List<JsonNode> named = new ArrayList<>();
    List<JsonNode> unnamed = new ArrayList<>();
    for (JsonNode entry : document.json().path("manifests")) {
      JsonNode platform = entry.path("platform");
      if (!platform.isObject()) {
        unnamed.add(entry);
      } else if (Platform.runs(platform)) {
        named.add(entry);
      } else {
        seen.add(Platform.describe(platform));
      }
    }
    named.addAll(unnamed);
    for (JsonNode entry : named) {
      Descriptor child = Descriptor.parse(entry);
      if (MediaTypes.isManifest(child.mediaType()) || MediaTypes.isIndex(child.mediaType())) {
        ResolvedImage image =
            descend(manifest(child.digest().toString(), child), target, depth + 1, seen);
        if (image != null) {
          return image;
        }
      }
    }
    return null;
  }

  private @Nullable ResolvedImage image(Document manifest, Digest target, Set<String> seen) {
    Descriptor descriptor = Descriptor.parse(manifest.json().path("config"));
    if (!MediaTypes.isConfiguration(descriptor.mediaType())) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "it is an artifact of type \"%s\", not a container image"
              .formatted(descriptor.mediaType()));
    }
    JsonNode configuration =
        fetch(
                () -> session.blob(descriptor.digest(), 0),
                "configuration",
                descriptor.digest().toString(),
                descriptor)
            .json();
    boolean stated = configuration.hasNonNull("os") && configuration.hasNonNull("architecture");
    if (stated && !Platform.runs(configuration)) {
      seen.add(Platform.describe(configuration));
      return null;
    }
    return new ResolvedImage(
        target,
        descriptor.digest(),
        ConfigurationReader.read(configuration),
        layers(manifest.json(), ConfigurationReader.diffIds(configuration)));
  }

  private static List<ResolvedImage.Layer> layers(JsonNode manifest, List<Digest> diffIds) {
    List<ResolvedImage.Layer> layers = new ArrayList<>();
    for (JsonNode node : manifest.path("layers")) {
      Descriptor blob = Descriptor.parse(node);
      if (!MediaTypes.isLayer(blob.mediaType())) {
        throw new PortLayerException(
            Code.UNSUPPORTED,
            "layer %s has the media type \"%s\", which is no layer that can be mounted"
                .formatted(blob.digest(), blob.mediaType()));
      }
      if (layers.size() < diffIds.size()) {
        layers.add(new ResolvedImage.Layer(blob, diffIds.get(layers.size())));
      }
    }
    if (manifest.path("layers").size() != diffIds.size()) {
      throw new PortLayerException(
          Code.CORRUPT,
          "mismatched image rootfs and manifest layers: %d diff_ids, %d layers"
              .formatted(diffIds.size(), manifest.path("layers").size()));
    }
    return layers;
  }

  private Document manifest(String target, @Nullable Descriptor expected) {
    Document document = fetch(() -> session.manifest("GET", target), "manifest", target, expected);
    String type = document.json().path("mediaType").asString(document.mediaType());
    if (document.mediaType().startsWith(MediaTypes.DOCKER_SCHEMA_1)
        || document.json().path("schemaVersion").asInt(2) == 1) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "it has a manifest of Docker's schema 1, which is obsolete: push the image again with a current tool");
    }
    if (!MediaTypes.isManifest(type) && !MediaTypes.isIndex(type)) {
      type = document.json().path("manifests").isArray() ? MediaTypes.OCI_INDEX : type;
      type = document.json().path("layers").isArray() ? MediaTypes.OCI_MANIFEST : type;
    }
    if (document.json().path("manifests").isArray() == document.json().path("layers").isArray()) {
      throw new PortLayerException(
          Code.CORRUPT,
          "manifest %s is neither an image nor an index".formatted(document.digest()));
    }
    if (document.json().path("manifests").isArray() != MediaTypes.isIndex(type)) {
      throw new PortLayerException(
          Code.CORRUPT,
          "manifest %s contradicts its media type \"%s\"".formatted(document.digest(), type));
    }
    return new Document(type, document.digest(), document.json());
  }

  /** Reads a small document whole, and again when the connection breaks. */
  private Document fetch(
      Question question, String what, String target, @Nullable Descriptor expected) {
    for (int attempt = 0; ; attempt++) {
      try (RegistryResponse response = question.ask()) {
        byte[] content = response.body().readNBytes(MAXIMUM_DOCUMENT + 1);
        return document(response, content, what + " " + target, digest(target), expected);
      } catch (IOException e) {
        if (Thread.currentThread().isInterrupted()) {
          throw new PortLayerException(Code.INTERRUPTED, "interrupted", e);
        }
        if (attempt + 1 >= MAXIMUM_ATTEMPTS || session.deadline().expired()) {
          throw new PortLayerException(
              Code.UNAVAILABLE, "connection broke while reading %s %s".formatted(what, target), e);
        }
        Patience.wait(Patience.before(attempt, ""), "reading a " + what);
      }
    }
  }

  private static Optional<Digest> digest(String target) {
    return target.indexOf(':') < 0 ? Optional.empty() : Optional.of(Digest.parse(target));
  }

  private static Document document(
      RegistryResponse response,
      byte[] content,
      String name,
      Optional<Digest> wanted,
      @Nullable Descriptor expected) {
    if (content.length > MAXIMUM_DOCUMENT) {
      throw new PortLayerException(
          Code.CORRUPT, "%s is larger than %d bytes".formatted(name, MAXIMUM_DOCUMENT));
    }
    Digest actual = verify(response, content, name, wanted);
    if (expected != null && expected.size() != content.length) {
      throw new PortLayerException(
          Code.CORRUPT,
          "%s has %d bytes, expected %d".formatted(name, content.length, expected.size()));
    }
    try {
      String type = response.header("Content-Type").replaceFirst("\\s*;.*", "").strip();
      return new Document(type, actual, JSON.readTree(content));
    } catch (JacksonException e) {
      throw new PortLayerException(Code.CORRUPT, name + " is not valid JSON", e);
    }
  }

  private static Digest verify(
      RegistryResponse response, byte[] content, String name, Optional<Digest> wanted) {
    Optional<Digest> claimed = wanted;
    if (claimed.isEmpty() && !response.header("Docker-Content-Digest").isEmpty()) {
      try {
        claimed = Optional.of(Digest.parse(response.header("Docker-Content-Digest")));
      } catch (IllegalArgumentException e) {
        throw new PortLayerException(Code.CORRUPT, name + ": " + e.getMessage(), e);
      }
    }
    Digest algorithm = claimed.orElseGet(() -> Digest.of(new byte[0]));
    java.security.MessageDigest computation = algorithm.newMessageDigest();
    computation.update(content);
    Digest actual = algorithm.finish(computation);
    if (claimed.isPresent() && !claimed.get().equals(actual)) {
      throw new PortLayerException(
          Code.CORRUPT,
          "%s: unexpected digest %s, expected %s".formatted(name, actual, claimed.get()));
    }
    return actual;
  }
}
