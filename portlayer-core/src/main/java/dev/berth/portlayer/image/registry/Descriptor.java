package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import tools.jackson.databind.JsonNode;

/**
 * Points to content: what it is, how to verify it, how long it is.
 *
 * @param size bytes, not negative
 */
public record Descriptor(String mediaType, Digest digest, long size) {
  static Descriptor parse(JsonNode node) {
    try {
      Digest digest = Digest.parse(node.path("digest").asString(""));
      long size = node.path("size").asLong(-1);
      if (size >= 0) {
        return new Descriptor(node.path("mediaType").asString(""), digest, size);
      }
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(Code.CORRUPT, "malformed descriptor: " + e.getMessage(), e);
    }
    throw new PortLayerException(Code.CORRUPT, "malformed descriptor: no size");
  }
}
