package dev.berth.portlayer.image.layer;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Streams a merged tree as one tar archive, contents taken straight from the layers' archives. */
final class TreeWriter {
  private static final int COPY = 1 << 18;

  private final List<FileChannel> archives;
  private final OutputStream output;
  private final TarWriter writer;
  private final IdentityHashMap<Inode, String> written = new IdentityHashMap<>();
  private final byte[] buffer = new byte[COPY];

  TreeWriter(List<FileChannel> archives, OutputStream output) {
    this.archives = archives;
    this.output = output;
    this.writer = new TarWriter(output);
  }

  /** Writes everything below the root, directories before what they hold, in byte order. */
  void write(Node root) throws IOException {
    writeChildren("", root);
    writer.end();
  }

  private void writeChildren(String prefix, Node directory) throws IOException {
    for (Map.Entry<String, Node> child : directory.children.entrySet()) {
      write(prefix + child.getKey(), child.getValue());
    }
  }

  private void write(String path, Node node) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new ClosedByInterruptException();
    }
    Inode inode = node.inode == null ? Inode.directory(node.attributes()) : node.inode;
    String first = written.putIfAbsent(inode, path);
    if (first != null) {
      writer.header(path, '1', inode, first, 0);
      return;
    }
    switch (inode.type) {
      case DIRECTORY -> {
        writer.header(path, '5', inode, "", 0);
        writeChildren(path + "/", node);
      }
      case FILE -> {
        writer.header(path, '0', inode, "", inode.size);
        content(inode);
        writer.padding(inode.size);
      }
      case SYMBOLIC_LINK -> writer.header(path, '2', inode, inode.linkTarget, 0);
      case CHARACTER_DEVICE -> writer.header(path, '3', inode, "", 0);
      case BLOCK_DEVICE -> writer.header(path, '4', inode, "", 0);
      case FIFO -> writer.header(path, '6', inode, "", 0);
    }
  }

  private void content(Inode inode) throws IOException {
    FileChannel archive = archives.get(inode.layer);
    long offset = 0;
    for (Inode.Extent extent : inode.extents) {
      writer.zeros(extent.offset() - offset);
      copy(archive, extent.position(), extent.length());
      offset = extent.offset() + extent.length();
    }
    writer.zeros(inode.size - offset);
  }

  private void copy(FileChannel archive, long position, long length) throws IOException {
    long done = 0;
    while (done < length) {
      ByteBuffer chunk = ByteBuffer.wrap(buffer, 0, (int) Math.min(buffer.length, length - done));
      int count = archive.read(chunk, position + done);
      if (count < 0) {
        throw new CorruptArchiveException("tar archive ends within an entry");
      }
      output.write(buffer, 0, count);
      done += count;
    }
  }
}
