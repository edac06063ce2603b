package dev.berth.portlayer.image.layer;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A name in a tree: of one layer, or of the merged layers. Names that are hard links to each other
 * share their inode.
 */
final class Node {
  /** Null for a directory that a layer only implies, by an entry below it. */
  @Nullable Inode inode;

  /** Empty unless this is a directory. */
  final TreeMap<String, Node> children = new TreeMap<>();

  /** Children of lower layers that this layer deletes. */
  final Set<String> whiteouts = new HashSet<>();

  /** Of a hard link whose target is not in its own layer: where it is in the layers below. */
  @Nullable List<String> lowerTarget;

  /** Whether all children of lower layers are deleted. */
  boolean opaque;

  Node(@Nullable Inode inode) {
    this.inode = inode;
  }

  static Node impliedDirectory() {
    return new Node(null);
  }

  static Node lowerLink(List<String> target) {
    Node node = new Node(null);
    node.lowerTarget = target;
    return node;
  }

  boolean isDirectory() {
    return inode == null ? lowerTarget == null : inode.type == Inode.Type.DIRECTORY;
  }

  boolean isSymbolicLink() {
    return inode != null && inode.type == Inode.Type.SYMBOLIC_LINK;
  }

  Inode.Attributes attributes() {
    return inode == null ? Inode.Attributes.IMPLIED : inode.attributes;
  }
}
