package dev.berth.portlayer.image.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.image.testing.TarBuilder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Merging where a model would only repeat the code: symbolic links as parents, refusals. */
class LayerTreeTest {
  @TempDir Path directory;

  private MergedTree merge(TarBuilder... layers) throws IOException {
    MergedTree merged = new MergedTree();
    for (int i = 0; i < layers.length; i++) {
      Path file = Files.write(directory.resolve(i + ".tar"), layers[i].build());
      try (FileChannel channel = FileChannel.open(file)) {
        merged.add(LayerTree.read(channel, i));
      }
    }
    return merged;
  }

  private static Node child(MergedTree merged, String name) {
    return Objects.requireNonNull(merged.root.children.get(name));
  }

  private static List<String> paths(MergedTree merged) {
    List<String> paths = new ArrayList<>();
    list("", merged.root, paths);
    return paths;
  }

  private static void list(String prefix, Node node, List<String> paths) {
    for (Map.Entry<String, Node> child : node.children.entrySet()) {
      paths.add(prefix + child.getKey());
      list(prefix + child.getKey() + "/", child.getValue(), paths);
    }
  }

  @Test
  @DisplayName("within a layer a symbolic link is followed as a parent, never out of the root")
  void linkInLayer() throws Exception {
    MergedTree merged =
        merge(
            new TarBuilder()
                .directory("usr/lib")
                .symbolicLink("lib", "/usr/lib")
                .symbolicLink("out", "../../../usr")
                .file("lib/a", "a")
                .file("out/b", "b"));
    assertEquals(List.of("lib", "out", "usr", "usr/b", "usr/lib", "usr/lib/a"), paths(merged));
  }

  @Test
  @DisplayName("across layers a directory hides a symbolic link, as in overlayfs")
  void linkBelow() throws Exception {
    MergedTree merged =
        merge(
            new TarBuilder()
                .directory("usr/lib")
                .file("usr/lib/a", "")
                .symbolicLink("lib", "usr/lib"),
            new TarBuilder().file("lib/b", "b"));
    assertEquals(List.of("lib", "lib/b", "usr", "usr/lib", "usr/lib/a"), paths(merged));
    Node lib = merged.root.children.get("lib");
    assertTrue(lib != null && lib.isDirectory());
  }

  @Test
  @DisplayName("whiteouts and opaque directories spare what their own layer holds")
  void whiteouts() throws Exception {
    MergedTree merged =
        merge(
            new TarBuilder().file("a", "old").file("d/x", "").file("d/y", "").file("e/z", ""),
            new TarBuilder()
                .file("a", "new")
                .file(".wh.a", "")
                .file("d/new", "")
                .file("d/.wh..wh..opq", "")
                .file(".wh.e", "")
                .file("e/w", "")
                .file(".wh..wh.plnk", ""));
    assertEquals(List.of("a", "d", "d/new", "e", "e/w"), paths(merged));
  }

  @Test
  @DisplayName("a hard link to a file of a lower layer shares its inode")
  void lowerLink() throws Exception {
    MergedTree merged =
        merge(
            new TarBuilder().file("d/a", "x"),
            new TarBuilder().hardLink("b", "/d/a").hardLink("c", "b"));
    Node directoryNode = merged.root.children.get("d");
    Inode inode =
        directoryNode == null ? null : directoryNode.children.firstEntry().getValue().inode;
    assertEquals(inode, child(merged, "b").inode);
    assertEquals(inode, child(merged, "c").inode);
  }

  @Test
  @DisplayName("what leads out of the root, loops or links to nothing is refused")
  void refusals() {
    for (TarBuilder bad :
        List.of(
            new TarBuilder().file("../a", ""),
            new TarBuilder().file("a/../../b", ""),
            new TarBuilder().hardLink("a", "../../etc/shadow"),
            new TarBuilder().hardLink("a", "nothing"),
            new TarBuilder().directory("d").hardLink("a", "d"),
            new TarBuilder().symbolicLink("l", "l").file("l/x", ""),
            new TarBuilder().file("f", "").file("f/x", ""),
            new TarBuilder().file("d/.wh...", ""),
            new TarBuilder().file("d/.wh.", ""))) {
      assertThrows(CorruptArchiveException.class, () -> merge(bad));
    }
  }
}
