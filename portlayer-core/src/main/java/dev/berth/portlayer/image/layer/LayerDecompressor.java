package dev.berth.portlayer.image.layer;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Decompresses layers: gzip, zstd or none, told apart by their first bytes as containerd does. */
public final class LayerDecompressor {
  private static final int BUFFER = 1 << 17;
  private static final byte[] GZIP = {0x1f, (byte) 0x8b};
  private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};

  private LayerDecompressor() {}

  /**
   * Writes a layer's tar archive to a new file and checks it against the image's diff id. On
   * failure the file is removed.
   *
   * @param name how to name the layer in a message: its blob's digest
   * @throws PortLayerException CORRUPT, RESOURCE_EXHAUSTED, INTERRUPTED, INTERNAL
   */
  public static void decompress(Path blob, Path archive, Digest diffId, String name) {
    String doing = "failed to extract layer " + name;
    boolean done = false;
    try (OutputStream output =
        Files.newOutputStream(archive, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      MessageDigest computation = diffId.newMessageDigest();
      copy(blob, output, computation, doing);
      Digest actual = diffId.finish(computation);
      if (!actual.equals(diffId)) {
        throw corrupt(
            doing,
            "its content is %s, but the image's configuration says %s".formatted(actual, diffId),
            null);
      }
      done = true;
    } catch (IOException e) {
      throw StorageFailures.of(doing, e);
    } finally {
      if (!done) {
        remove(archive);
      }
    }
  }

  private static void copy(Path blob, OutputStream output, MessageDigest computation, String doing)
      throws IOException {
    try (InputStream file = new BufferedInputStream(Files.newInputStream(blob), BUFFER);
        InputStream input = open(file, doing)) {
      byte[] buffer = new byte[BUFFER];
      int count = read(input, buffer, doing);
      while (count >= 0) {
        if (Thread.currentThread().isInterrupted()) {
          throw new ClosedByInterruptException();
        }
        computation.update(buffer, 0, count);
        output.write(buffer, 0, count);
        count = read(input, buffer, doing);
      }
    }
  }

  private static int read(InputStream input, byte[] buffer, String doing) throws IOException {
    try {
      return input.read(buffer);
    } catch (ZipException | EOFException | com.github.luben.zstd.ZstdIOException e) {
      throw corrupt(doing, "its compressed data is damaged: " + StorageFailures.describe(e), e);
    }
  }

  private static InputStream open(InputStream file, String doing) throws IOException {
    file.mark(8);
    byte[] magic = file.readNBytes(4);
    file.reset();
    try {
      if (startsWith(magic, GZIP)) {
        return new GZIPInputStream(file, BUFFER);
      }
      return startsWith(magic, ZSTD)
          ? new ZstdInputStreamNoFinalizer(file).setContinuous(false)
          : file;
    } catch (ZipException | EOFException e) {
      throw corrupt(doing, "its compressed data is damaged: " + StorageFailures.describe(e), e);
    }
  }

  private static boolean startsWith(byte[] data, byte[] magic) {
    return data.length >= magic.length
        && java.util.Arrays.equals(data, 0, magic.length, magic, 0, magic.length);
  }

  private static PortLayerException corrupt(
      String doing, String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new PortLayerException(Code.CORRUPT, doing + ": " + why, cause);
  }

  private static void remove(Path archive) {
    try {
      Files.deleteIfExists(archive);
    } catch (IOException e) {
      // The store's next opening removes it; the failure that led here is the one to tell.
    }
  }
}
