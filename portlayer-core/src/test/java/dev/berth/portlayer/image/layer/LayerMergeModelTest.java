package dev.berth.portlayer.image.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.random.RandomCases;
import dev.berth.portlayer.random.RandomValues;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Merging against a model that keeps a plain map of paths, and writing against reading. */
class LayerMergeModelTest {
  /**
   * What a generated entry wants to be; entries that make no sense where they stand are left out.
   */
  record Wish(int kind, List<String> path, int pick) {}

  private static List<List<Wish>> layers(RandomValues values) {
    return values.list(1, 4, () -> values.list(1, 8, () -> wish(values)));
  }

  private static Wish wish(RandomValues values) {
    List<String> path = values.list(1, 3, () -> values.of(List.of("a", "b", "c")));
    return new Wish(values.between(0, 7), path, values.between(0, 99));
  }

  @Test
  @DisplayName("merged layers show what the model shows, and survive being written and read again")
  void mergesLikeTheModel() {
    RandomCases.check(200, values -> checkMerge(layers(values)));
  }

  private static void checkMerge(List<List<Wish>> layers) throws IOException {
    LayerModel model = new LayerModel();
    MergedTree merged = new MergedTree();
    List<FileChannel> archives = new ArrayList<>();
    Path rewritten = Files.createTempFile("merged", ".tar");
    try {
      for (List<Wish> wishes : layers) {
        FileChannel archive = scratch(model.layer(wishes));
        archives.add(archive);
        merged.add(LayerTree.read(archive, archives.size() - 1));
      }
      assertEquals(model.show(), show(merged.root, archives));
      try (OutputStream output = Files.newOutputStream(rewritten)) {
        new TreeWriter(archives, output).write(merged.root);
      }
      try (FileChannel again = FileChannel.open(rewritten)) {
        MergedTree read = new MergedTree();
        read.add(LayerTree.read(again, 0));
        assertEquals(model.show(), show(read.root, List.of(again)));
      }
    } finally {
      for (FileChannel archive : archives) {
        archive.close();
      }
      Files.delete(rewritten);
    }
  }

  private static FileChannel scratch(TarBuilder tar) throws IOException {
    Path file = Files.createTempFile("layer", ".tar");
    Files.write(file, tar.build());
    return FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.DELETE_ON_CLOSE);
  }

  /** path → kind, what distinguishes it, and the first path of the same inode. */
  private static Map<String, String> show(Node root, List<FileChannel> archives)
      throws IOException {
    Map<String, String> shown = new TreeMap<>();
    show("", root, new IdentityHashMap<>(), shown, archives);
    return shown;
  }

  private static void show(
      String prefix,
      Node directory,
      IdentityHashMap<Inode, String> first,
      Map<String, String> shown,
      List<FileChannel> archives)
      throws IOException {
    for (Map.Entry<String, Node> child : directory.children.entrySet()) {
      String path = prefix + child.getKey();
      Node node = child.getValue();
      Inode inode = node.inode == null ? Inode.directory(node.attributes()) : node.inode;
      String known = first.putIfAbsent(inode, path);
      String same = known == null ? path : known;
      shown.put(path, LayerModel.describe(kind(inode), what(inode, archives), same));
      show(path + "/", node, first, shown, archives);
    }
  }

  private static char kind(Inode inode) {
    return inode.type == Inode.Type.DIRECTORY ? 'd' : inode.type == Inode.Type.FILE ? 'f' : 'l';
  }

  private static String what(Inode inode, List<FileChannel> archives) throws IOException {
    if (inode.type == Inode.Type.DIRECTORY) {
      return Integer.toString(inode.attributes.mode());
    }
    if (inode.type == Inode.Type.SYMBOLIC_LINK) {
      return inode.linkTarget;
    }
    byte[] content = new byte[(int) inode.size];
    archives
        .get(inode.layer)
        .read(java.nio.ByteBuffer.wrap(content), inode.extents.getFirst().position());
    return new String(content, java.nio.charset.StandardCharsets.UTF_8);
  }

  /** Applies layers to a map of paths, and writes the archives as it goes. */
  static final class LayerModel {
    /** Identity stands for the inode. */
    private static final class Item {
      final char kind;
      String what;
      boolean implied;

      Item(char kind, String what) {
        this.kind = kind;
        this.what = what;
      }
    }

    private TreeMap<String, Item> state = new TreeMap<>();
    private int serial;

    static String describe(char kind, String what, String first) {
      return kind + " " + what + (kind == 'd' ? "" : " = " + first);
    }

    Map<String, String> show() {
      Map<Item, String> first = new HashMap<>();
      Map<String, String> shown = new TreeMap<>();
      new TreeMap<>(state)
          .forEach(
              (path, item) -> {
                first.putIfAbsent(item, path);
                shown.put(path, describe(item.kind, item.what, first.get(item)));
              });
      // The tree is walked children after their parent, which is not the order of plain strings.
      return order(shown);
    }

    private Map<String, String> order(Map<String, String> shown) {
      List<String> paths = new ArrayList<>(shown.keySet());
      paths.sort(java.util.Comparator.comparing(path -> path.replace('/', '\0')));
      Map<Item, String> first = new HashMap<>();
      Map<String, String> ordered = new TreeMap<>();
      for (String path : paths) {
        Item item = java.util.Objects.requireNonNull(state.get(path));
        first.putIfAbsent(item, path);
        ordered.put(path, describe(item.kind, item.what, first.get(item)));
      }
      return ordered;
    }

    TarBuilder layer(List<Wish> wishes) {
      TarBuilder tar = new TarBuilder();
      TreeMap<String, Item> upper = new TreeMap<>();
      List<String> whiteouts = new ArrayList<>();
      List<String> opaques = new ArrayList<>();
      for (Wish wish : wishes) {
        String path = String.join("/", wish.path());
        if (!parentsAreDirectories(upper, wish.path())) {
          continue;
        }
        if (wish.kind() == 5 && targets(upper, path).isEmpty()) {
          continue;
        }
        imply(upper, wish.path());
        if (wish.kind() <= 2 || wish.kind() == 4) {
          // What replaces a directory takes the whiteouts in it along, as in overlayfs's upper.
          whiteouts.removeIf(other -> other.startsWith(path + "/"));
          opaques.removeIf(other -> other.equals(path) || other.startsWith(path + "/"));
        }
        switch (wish.kind()) {
          case 0, 1, 2 -> put(upper, path, new Item('f', "f" + serial++), tar);
          case 3 -> put(upper, path, new Item('d', Integer.toString(0700 + wish.pick() % 64)), tar);
          case 4 -> put(upper, path, new Item('l', "to" + serial++), tar);
          case 5 -> link(upper, path, wish.pick(), tar, whiteouts, opaques);
          case 6 -> {
            whiteouts.add(path);
            tar.file(sibling(path, ".wh." + wish.path().getLast()), "");
          }
          default -> {
            Item item = upper.get(path);
            if (item == null || item.kind == 'd') {
              upper.computeIfAbsent(path, absent -> implied());
              opaques.add(path);
              tar.file(path + "/.wh..wh..opq", "");
            }
          }
        }
      }
      opaques.removeIf(path -> upper.get(path) == null || upper.get(path).kind != 'd');
      join(upper, whiteouts, opaques);
      return tar;
    }

    private static Item implied() {
      Item item = new Item('d', Integer.toString(0755));
      item.implied = true;
      return item;
    }

    private static boolean parentsAreDirectories(Map<String, Item> upper, List<String> path) {
      for (int i = 1; i < path.size(); i++) {
        Item parent = upper.get(String.join("/", path.subList(0, i)));
        if (parent != null && parent.kind != 'd') {
          return false;
        }
      }
      return true;
    }

    private static void imply(Map<String, Item> upper, List<String> path) {
      for (int i = 1; i < path.size(); i++) {
        upper.computeIfAbsent(String.join("/", path.subList(0, i)), absent -> implied());
      }
    }

    private static String sibling(String path, String name) {
      return path.substring(0, path.lastIndexOf('/') + 1) + name;
    }

    private static void put(
        NavigableMap<String, Item> upper, String path, Item item, TarBuilder tar) {
      switch (item.kind) {
        case 'f' -> tar.file(path, item.what);
        case 'l' -> tar.symbolicLink(path, item.what);
        default -> tar.mode(Integer.parseInt(item.what)).directory(path);
      }
      Item old = upper.get(path);
      if (old != null && old.kind == 'd' && item.kind == 'd') {
        old.what = item.what;
        old.implied = false;
      } else {
        below(upper, path).clear();
        upper.put(path, item);
      }
    }

    private static Map<String, Item> below(NavigableMap<String, Item> map, String path) {
      return map.subMap(path + "/", path + "0");
    }

    private void link(
        NavigableMap<String, Item> upper,
        String path,
        int pick,
        TarBuilder tar,
        List<String> whiteouts,
        List<String> opaques) {
      List<String> targets = targets(upper, path);
      String target = targets.get(pick % targets.size());
      Item item = upper.containsKey(target) ? upper.get(target) : state.get(target);
      tar.hardLink(path, target);
      whiteouts.removeIf(other -> other.startsWith(path + "/"));
      opaques.removeIf(other -> other.equals(path) || other.startsWith(path + "/"));
      below(upper, path).clear();
      upper.put(path, java.util.Objects.requireNonNull(item));
    }

    private List<String> targets(NavigableMap<String, Item> upper, String path) {
      TreeMap<String, Item> visible = new TreeMap<>(state);
      visible.putAll(upper);
      List<String> targets = new ArrayList<>();
      visible.forEach(
          (target, item) -> {
            if (item.kind != 'd' && !(path + "/").startsWith(target + "/")) {
              targets.add(target);
            }
          });
      return targets;
    }

    private void join(
        NavigableMap<String, Item> upper, List<String> whiteouts, List<String> opaques) {
      TreeMap<String, Item> joined = new TreeMap<>(state);
      whiteouts.forEach(
          path -> {
            joined.remove(path);
            below(joined, path).clear();
          });
      opaques.forEach(path -> below(joined, path).clear());
      upper.forEach(
          (path, item) -> {
            Item lower = joined.get(path);
            if (item.kind == 'd' && lower != null && lower.kind == 'd') {
              if (!item.implied) {
                joined.put(path, item);
              }
            } else {
              below(joined, path).clear();
              joined.put(path, item);
            }
          });
      state = joined;
    }
  }
}
