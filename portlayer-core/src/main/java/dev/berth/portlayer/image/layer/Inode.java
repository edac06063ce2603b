package dev.berth.portlayer.image.layer;

import java.util.List;
import java.util.Map;

/**
 * What a name in a layer stands for; names that are hard links to each other share one instance, so
 * identity matters and this is no record.
 *
 * <p>Strings hold one byte per char (ISO 8859-1), because file names are bytes.
 */
final class Inode {
  enum Type {
    FILE,
    DIRECTORY,
    SYMBOLIC_LINK,
    CHARACTER_DEVICE,
    BLOCK_DEVICE,
    FIFO
  }

  /**
   * A run of a file's bytes that a layer's archive really holds; what lies between runs is zeros.
   *
   * @param offset within the file
   * @param position within the archive
   */
  record Extent(long offset, long position, long length) {}

  /**
   * Attributes that every type has.
   *
   * @param mode permission bits, with set-user-id, set-group-id and sticky
   * @param modifiedSeconds since the epoch; squashfs keeps no fraction
   */
  record Attributes(
      int mode, long user, long group, long modifiedSeconds, Map<String, byte[]> extended) {
    static final Attributes IMPLIED = new Attributes(0755, 0, 0, 0, Map.of());
  }

  final Type type;
  final Attributes attributes;
  final String linkTarget;
  final int deviceMajor;
  final int deviceMinor;
  final long size;
  final List<Extent> extents;

  /** Which layer's archive the extents are in, 0 the lowest. */
  final int layer;

  private Inode(
      Type type,
      Attributes attributes,
      String linkTarget,
      int deviceMajor,
      int deviceMinor,
      long size,
      List<Extent> extents,
      int layer) {
    this.type = type;
    this.attributes = attributes;
    this.linkTarget = linkTarget;
    this.deviceMajor = deviceMajor;
    this.deviceMinor = deviceMinor;
    this.size = size;
    this.extents = extents;
    this.layer = layer;
  }

  static Inode directory(Attributes attributes) {
    return new Inode(Type.DIRECTORY, attributes, "", 0, 0, 0, List.of(), 0);
  }

  static Inode of(TarEntry entry, int layer) {
    Type type =
        switch (entry.type()) {
          case FILE -> Type.FILE;
          case DIRECTORY -> Type.DIRECTORY;
          case SYMBOLIC_LINK -> Type.SYMBOLIC_LINK;
          case CHARACTER_DEVICE -> Type.CHARACTER_DEVICE;
          case BLOCK_DEVICE -> Type.BLOCK_DEVICE;
          case FIFO -> Type.FIFO;
          case HARD_LINK ->
              throw new IllegalArgumentException("a hard link has no inode of its own");
        };
    return new Inode(
        type,
        entry.attributes(),
        entry.linkTarget(),
        entry.deviceMajor(),
        entry.deviceMinor(),
        entry.size(),
        entry.extents(),
        layer);
  }
}
