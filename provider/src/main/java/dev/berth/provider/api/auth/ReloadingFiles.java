package dev.berth.provider.api.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A value made of files, made anew when they change. While the new files cannot be used, the value
 * of the old ones stays.
 */
public final class ReloadingFiles<T> {
  private static final Logger log = LoggerFactory.getLogger(ReloadingFiles.class);
  private static final long CHECK_INTERVAL = Duration.ofSeconds(1).toNanos();

  /** Makes the value. */
  @FunctionalInterface
  public interface Loader<T> {
    T load() throws IOException, GeneralSecurityException;
  }

  private final List<Path> files;
  private final Loader<T> loader;
  private List<String> stamps;
  private T value;
  private long checkedAt = System.nanoTime();

  /**
   * @throws IllegalArgumentException when the files cannot be used; names them
   */
  public ReloadingFiles(List<Path> files, Loader<T> loader) {
    this.files = List.copyOf(files);
    this.loader = loader;
    try {
      this.stamps = stamps();
      this.value = loader.load();
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalArgumentException("Cannot use " + files + ": " + e.getMessage(), e);
    }
  }

  /** The value of the files as they were at most a second ago. */
  public synchronized T get() {
    long now = System.nanoTime();
    if (now - checkedAt >= CHECK_INTERVAL) {
      checkedAt = now;
      reloadIfChanged();
    }
    return value;
  }

  private void reloadIfChanged() {
    try {
      List<String> present = stamps();
      if (!present.equals(stamps)) {
        value = loader.load();
        stamps = present;
        log.info("Read {} again", files);
      }
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      log.warn("Cannot use the changed {}, keeping the old: {}", files, e.toString());
    }
  }

  private List<String> stamps() throws IOException {
    var result = new ArrayList<String>();
    for (Path file : files) {
      var attributes = Files.readAttributes(file, BasicFileAttributes.class);
      result.add(
          attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey());
    }
    return result;
  }
}
