package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * Brings one blob into a file, verified. What an earlier attempt left in the file is hashed and
 * continued, by Range where the server can.
 */
final class BlobDownload {
  private static final int BUFFER = 1 << 17;

  /** Without a single new byte; progress begins the count anew. */
  private static final int MAXIMUM_FRUITLESS_ATTEMPTS = 6;

  private final RegistrySession session;
  private final Descriptor blob;
  private final Path partial;
  private MessageDigest computation;
  private long done;

  /** Whether bytes came from an earlier download: then a wrong digest may be that one's fault. */
  private boolean resumed;

  BlobDownload(RegistrySession session, Descriptor blob, Path partial) {
    this.session = session;
    this.blob = blob;
    this.partial = partial;
    this.computation = blob.digest().newMessageDigest();
  }

  /**
   * Fills the file and syncs it to disk. On failure it stays for the next attempt, unless its bytes
   * are wrong or the disk is full.
   */
  void run() {
    try (FileChannel file =
        FileChannel.open(
            partial,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      rehash(file);
      while (!attemptAll(file)) {
        restart(file);
      }
      file.force(true);
    } catch (IOException e) {
      PortLayerException failure = StorageFailures.of("cannot be stored", e);
      if (failure.code() == Code.RESOURCE_EXHAUSTED) {
        discard();
      }
      throw failure;
    }
  }

  private void rehash(FileChannel file) throws IOException {
    if (file.size() > blob.size()) {
      file.truncate(0);
    }
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    while (file.read(buffer.clear(), done) > 0) {
      buffer.flip();
      done += buffer.remaining();
      computation.update(buffer);
    }
    resumed = done > 0;
  }

  private void restart(FileChannel file) throws IOException {
    file.truncate(0);
    computation = blob.digest().newMessageDigest();
    done = 0;
    resumed = false;
  }

  /** Returns false when resumed content turned out wrong and must be fetched from the start. */
  private boolean attemptAll(FileChannel file) throws IOException {
    int fruitless = 0;
    while (done < blob.size()) {
      long before = done;
      String broken = attempt(file);
      if (done == blob.size()) {
        break;
      }
      fruitless = done > before ? 0 : fruitless + 1;
      if (fruitless >= MAXIMUM_FRUITLESS_ATTEMPTS) {
        throw new PortLayerException(
            Code.UNAVAILABLE, "connection breaks again and again: " + broken);
      }
      if (session.deadline().expired()) {
        throw new PortLayerException(Code.DEADLINE_EXCEEDED, "not transferred in time: " + broken);
      }
      Patience.wait(Patience.before(fruitless, ""), "downloading " + blob.digest());
    }
    return verify();
  }

  private boolean verify() {
    Digest actual = blob.digest().finish(computation);
    if (actual.equals(blob.digest())) {
      return true;
    }
    if (resumed) {
      return false;
    }
    discard();
    throw new PortLayerException(
        Code.CORRUPT, "unexpected commit digest %s, expected %s".formatted(actual, blob.digest()));
  }

  /** Transfers until the end or a broken connection; returns what broke it. */
  private String attempt(FileChannel file) throws IOException {
    try (RegistryResponse response = open(file)) {
      byte[] buffer = new byte[BUFFER];
      while (done < blob.size()) {
        int count;
        try {
          count = response.body().read(buffer);
        } catch (IOException e) {
          return broken(e);
        }
        if (count < 0) {
          return "it ended after %d of %d bytes".formatted(done, blob.size());
        }
        store(file, buffer, count);
      }
      refuseMore(response);
      return "";
    }
  }

  private static String broken(IOException failure) {
    if (Thread.currentThread().isInterrupted()) {
      throw new PortLayerException(Code.INTERRUPTED, "interrupted", failure);
    }
    String message = failure.getMessage();
    return message == null ? failure.getClass().getSimpleName() : message;
  }

  private RegistryResponse open(FileChannel file) throws IOException {
    RegistryResponse response;
    try {
      response = session.blob(blob.digest(), done);
    } catch (PortLayerException e) {
      if (e.code() != Code.FAILED_PRECONDITION || done == 0) {
        throw e;
      }
      restart(file); // The range was refused: begin at the start.
      response = session.blob(blob.digest(), 0);
    }
    boolean continues =
        response.status() == 206
            && response.header("Content-Range").startsWith("bytes " + done + "-");
    if (done > 0 && !continues) {
      restart(file);
      if (response.status() == 206) {
        response.close();
        response = session.blob(blob.digest(), 0);
      }
    }
    return response;
  }

  private void store(FileChannel file, byte[] bytes, int count) throws IOException {
    if (count > blob.size() - done) {
      tooLong();
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, count);
    computation.update(bytes, 0, count);
    while (buffer.hasRemaining()) {
      done += file.write(buffer, done);
    }
  }

  private void refuseMore(RegistryResponse response) {
    try {
      if (response.body().read() >= 0) {
        tooLong();
      }
    } catch (IOException e) {
      // All bytes are here; how the connection ends doesn't matter.
    }
  }

  private void tooLong() {
    discard();
    throw new PortLayerException(
        Code.CORRUPT, "it is longer than the %d bytes its manifest says".formatted(blob.size()));
  }

  private void discard() {
    try {
      Files.deleteIfExists(partial);
    } catch (IOException e) {
      // Garbage collection tries again; the failure that led here is the one to tell.
    }
  }
}
