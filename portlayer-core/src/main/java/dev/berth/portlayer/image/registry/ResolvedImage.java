package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.util.List;

/**
 * What a reference stands for, chosen for this platform; nothing but its manifests and
 * configuration was transferred.
 *
 * @param target the digest that the reference itself resolves to: an index's, where there is one
 * @param configurationDigest the image's id
 * @param layers the lowest first
 */
public record ResolvedImage(
    Digest target,
    Digest configurationDigest,
    ImageConfiguration configuration,
    List<Layer> layers) {
  /**
   * One layer.
   *
   * @param blob as the registry has it, usually compressed
   * @param diffId the digest of its tar archive
   */
  public record Layer(Descriptor blob, Digest diffId) {}

  public ResolvedImage {
    layers = List.copyOf(layers);
  }
}
