package dev.berth.portlayer.image.layer;

import java.util.List;

/**
 * One entry of a tar archive. Strings hold one byte per char (ISO 8859-1).
 *
 * @param path as written, neither cleaned nor checked
 * @param linkTarget of symbolic and hard links, else empty
 * @param size of a file's content with its holes, 0 for other types
 * @param extents where the content is in the archive, in ascending order
 */
record TarEntry(
    String path,
    Type type,
    Inode.Attributes attributes,
    String linkTarget,
    int deviceMajor,
    int deviceMinor,
    long size,
    List<Inode.Extent> extents) {
  enum Type {
    FILE,
    DIRECTORY,
    SYMBOLIC_LINK,
    HARD_LINK,
    CHARACTER_DEVICE,
    BLOCK_DEVICE,
    FIFO
  }
}
