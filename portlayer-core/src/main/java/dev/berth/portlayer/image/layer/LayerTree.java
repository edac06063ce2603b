package dev.berth.portlayer.image.layer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One layer as overlayfs would hold it in a directory of its own: what it adds, and what of lower
 * layers it deletes. Whiteouts and opaque directories speak of lower layers only, wherever in the
 * archive they stand, as the OCI image specification says.
 */
final class LayerTree {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";

  final Node root = Node.impliedDirectory();

  /** Hard links whose targets are to be looked up in the layers below. */
  final List<Node> lowerLinks = new ArrayList<>();

  private final int layer;

  private LayerTree(int layer) {
    this.layer = layer;
  }

  /**
   * Reads a layer's archive.
   *
   * @param layer its position, 0 the lowest
   * @throws CorruptArchiveException when it is no tar archive, ends early, or leaves the root
   */
  static LayerTree read(FileChannel archive, int layer) throws IOException {
    LayerTree tree = new LayerTree(layer);
    TarReader reader = new TarReader(archive);
    for (TarEntry entry = reader.next(); entry != null; entry = reader.next()) {
      tree.apply(entry);
    }
    return tree;
  }

  void apply(TarEntry entry) throws CorruptArchiveException {
    List<String> path = Paths.components(entry.path());
    if (path.isEmpty()) {
      if (entry.type() == TarEntry.Type.DIRECTORY) {
        root.inode = Inode.of(entry, layer);
      }
      return;
    }
    String name = path.getLast();
    Node parent = Paths.directory(root, path.subList(0, path.size() - 1), true);
    if (parent == null) {
      throw new IllegalStateException("missing directories are made");
    }
    if (name.startsWith(WHITEOUT)) {
      whiteOut(parent, name);
    } else if (entry.type() == TarEntry.Type.HARD_LINK) {
      link(parent, name, entry);
    } else {
      put(parent, name, Inode.of(entry, layer));
    }
  }

  private static void whiteOut(Node parent, String name) throws CorruptArchiveException {
    if (name.equals(OPAQUE)) {
      parent.opaque = true;
      return;
    }
    String hidden = name.substring(WHITEOUT.length());
    if (hidden.startsWith(WHITEOUT)) {
      return; // Bookkeeping of AUFS, which some old images carry.
    }
    if (hidden.isEmpty() || hidden.equals(".") || hidden.equals("..")) {
      throw new CorruptArchiveException("whiteout \"" + name + "\" names no file");
    }
    parent.whiteouts.add(hidden);
  }

  private static void put(Node parent, String name, Inode inode) {
    Node existing = parent.children.get(name);
    if (existing != null && existing.isDirectory() && inode.type == Inode.Type.DIRECTORY) {
      existing.inode = inode;
    } else {
      parent.children.put(name, new Node(inode));
    }
  }

  private void link(Node parent, String name, TarEntry entry) throws CorruptArchiveException {
    List<String> target = Paths.components(entry.linkTarget());
    if (target.isEmpty()) {
      throw badLink(entry, "is a directory");
    }
    Node linked = find(root, target);
    if (linked != null && linked.isDirectory()) {
      throw badLink(entry, "is a directory");
    }
    List<String> lowerTarget = linked == null ? target : linked.lowerTarget;
    if (linked == null || lowerTarget != null) {
      Node node = Node.lowerLink(lowerTarget == null ? target : lowerTarget);
      lowerLinks.add(node);
      parent.children.put(name, node);
    } else if (parent.children.get(name) != linked) {
      parent.children.put(name, new Node(linked.inode));
    }
  }

  /** The node of a path whose last component is not followed. */
  static @Nullable Node find(Node root, List<String> path) throws CorruptArchiveException {
    Node directory = Paths.directory(root, path.subList(0, path.size() - 1), false);
    return directory == null ? null : directory.children.get(path.getLast());
  }

  private static CorruptArchiveException badLink(TarEntry entry, String why) {
    return new CorruptArchiveException(
        "hard link \"%s\": its target \"%s\" %s"
            .formatted(Paths.printable(entry.path()), Paths.printable(entry.linkTarget()), why));
  }
}
