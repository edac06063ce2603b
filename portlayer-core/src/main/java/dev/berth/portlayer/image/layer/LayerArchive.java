package dev.berth.portlayer.image.layer;

import java.nio.file.Path;

/**
 * One layer, decompressed and checked against its diff id.
 *
 * @param name how to name it in a message: the digest of its blob
 * @param archive the tar archive
 */
public record LayerArchive(String name, Path archive) {}
