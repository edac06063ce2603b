package dev.berth.portlayer.image.layer;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Layers laid upon each other, showing what overlayfs shows: an upper directory over anything but a
 * directory (a symbolic link to one included) hides it whole; over a directory it joins it and
 * gives it its attributes.
 */
final class MergedTree {
  final Node root = Node.impliedDirectory();

  /**
   * Lays the next higher layer on top. The layer's tree belongs to this one from then on.
   *
   * @throws CorruptArchiveException when a hard link's target exists nowhere
   */
  void add(LayerTree layer) throws CorruptArchiveException {
    for (Node link : layer.lowerLinks) {
      List<String> target = Objects.requireNonNull(link.lowerTarget);
      Node linked = LayerTree.find(root, target);
      if (linked == null || linked.isDirectory()) {
        throw new CorruptArchiveException(
            "hard link to \"%s\", which is no file in this layer or a lower one"
                .formatted(Paths.printable(String.join("/", target))));
      }
      link.inode = linked.inode;
      link.lowerTarget = null;
    }
    join(root, layer.root);
  }

  private static void join(Node lower, Node upper) {
    if (upper.opaque) {
      lower.children.clear();
    }
    lower.children.keySet().removeAll(upper.whiteouts);
    if (upper.inode != null) {
      lower.inode = upper.inode;
    }
    for (Map.Entry<String, Node> entry : upper.children.entrySet()) {
      Node child = entry.getValue();
      Node hidden = lower.children.get(entry.getKey());
      if (child.isDirectory() && hidden != null && hidden.isDirectory()) {
        join(hidden, child);
      } else {
        lower.children.put(entry.getKey(), child);
      }
    }
  }
}
