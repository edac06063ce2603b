package dev.berth.portlayer.image.layer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Paths within a tree, whose root they never leave. */
final class Paths {
  /** As the kernel's MAXSYMLINKS. */
  private static final int MAXIMUM_LINKS = 40;

  private Paths() {}

  /**
   * An entry's path as its components.
   *
   * @throws CorruptArchiveException when it leads out of the root or holds a NUL
   */
  static List<String> components(String path) throws CorruptArchiveException {
    List<String> components = new ArrayList<>();
    for (String part : path.split("/", -1)) {
      if (part.equals("..")) {
        if (components.isEmpty()) {
          throw new CorruptArchiveException(
              "entry \"" + printable(path) + "\" leads out of the image's root");
        }
        components.removeLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        components.add(part);
      }
    }
    if (path.indexOf('\0') >= 0 || components.stream().anyMatch(part -> part.length() > 255)) {
      throw new CorruptArchiveException("entry \"" + printable(path) + "\" has an impossible name");
    }
    return components;
  }

  /**
   * The directory that a path leads to, symbolic links followed within {@code root}, where {@code
   * ..} at the top stays at the top.
   *
   * @param create whether missing directories are made, else null says that one is missing
   */
  static @Nullable Node directory(Node root, List<String> path, boolean create)
      throws CorruptArchiveException {
    Deque<String> ahead = new ArrayDeque<>(path);
    Deque<Node> trail = new ArrayDeque<>();
    trail.push(root);
    int links = 0;
    while (!ahead.isEmpty()) {
      String name = ahead.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        if (trail.size() > 1) {
          trail.pop();
        }
        continue;
      }
      Node parent = trail.element();
      Node child = parent.children.get(name);
      if (child == null) {
        if (!create) {
          return null;
        }
        child = Node.impliedDirectory();
        parent.children.put(name, child);
      }
      if (child.isSymbolicLink()) {
        if (++links > MAXIMUM_LINKS) {
          throw new CorruptArchiveException(
              "too many symbolic links in a path below \"" + printable(name) + "\"");
        }
        followLink(child, ahead, trail, root);
      } else if (child.isDirectory()) {
        trail.push(child);
      } else if (create) {
        throw new CorruptArchiveException(
            "\"" + printable(name) + "\" is a parent, but no directory");
      } else {
        return null;
      }
    }
    return trail.element();
  }

  private static void followLink(Node link, Deque<String> ahead, Deque<Node> trail, Node root) {
    String target = java.util.Objects.requireNonNull(link.inode).linkTarget;
    if (target.startsWith("/")) {
      trail.clear();
      trail.push(root);
    }
    List<String> parts = List.of(target.split("/", -1));
    for (String part : parts.reversed()) {
      ahead.push(part);
    }
  }

  /** A name for a message: control characters and bytes beyond ASCII are shown as {@code ?}. */
  static String printable(String name) {
    String shown = name.replaceAll("[^\\x20-\\x7e]", "?");
    return shown.length() > 200 ? shown.substring(0, 200) + "…" : shown;
  }
}
