package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.Progress;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All that a VCH is at vCenter: made whole, or not at all. */
final class VchInstallation {
  private static final Logger LOG = LoggerFactory.getLogger(VchInstallation.class);

  private final VchParts parts;
  private final DatastoreFiles files;
  private final DatastorePath root;
  private final ManagedObjectReference vmFolder;
  private final ManagedObjectReference parentPool;
  private final String name;

  /**
   * @param root the VCH's folder on the datastore
   */
  VchInstallation(
      VchParts parts,
      DatastoreFiles files,
      DatastorePath root,
      ManagedObjectReference vmFolder,
      ManagedObjectReference parentPool) {
    this.parts = parts;
    this.files = files;
    this.root = root;
    this.vmFolder = vmFolder;
    this.parentPool = parentPool;
    name = root.name();
  }

  /**
   * Makes everything, and the record last; when it fails, or is interrupted, it removes what it
   * made.
   */
  void make(VchRecord record, BootstrapIso iso, Progress progress) {
    boolean done = false;
    try {
      VchParts.repeat(() -> files.makeDirectory(root), () -> false);
      write(record, VchRecords.UNFINISHED);
      complete(record, iso, progress);
      publish();
      done = true;
    } finally {
      if (!done) {
        abandon();
      }
    }
  }

  /** Makes what is missing of a VCH, and gives its pool the limits of its record. */
  void complete(VchRecord record, BootstrapIso iso, Progress progress) {
    parts.folder(vmFolder, name);
    parts.pool(parentPool, name, record.specification().limits());
    upload(iso, progress);
  }

  private void upload(BootstrapIso iso, Progress progress) {
    DatastorePath target = root.resolve(iso.name());
    if (files.size(target).orElse(-1) != iso.size()) {
      files.upload(iso.file(), target, progress);
    }
  }

  /** Writes the record of a VCH that is there. */
  void update(VchRecord record) {
    write(record, VchRecords.FINISHED);
  }

  private void write(VchRecord record, String file) {
    Path local = null;
    try {
      local = Files.createTempFile("vch", ".json");
      Files.write(local, record.json());
      files.upload(local, root.resolve(file), (sent, total) -> {});
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot prepare the record of the VCH", e);
    } finally {
      delete(local);
    }
  }

  private static void delete(@Nullable Path local) {
    try {
      if (local != null) {
        Files.deleteIfExists(local);
      }
    } catch (IOException e) {
      LOG.warn("Cannot delete {}", local, e);
    }
  }

  private void publish() {
    rename(VchRecords.UNFINISHED, VchRecords.FINISHED);
  }

  private void rename(String from, String to) {
    VchParts.repeat(
        () -> files.move(root.resolve(from), root.resolve(to)),
        () -> files.size(root.resolve(to)).isPresent() && files.size(root.resolve(from)).isEmpty());
  }

  /** Removes everything; until it is done, the VCH is known as unfinished. Idempotent. */
  void remove() {
    if (files.size(root.resolve(VchRecords.FINISHED)).isPresent()) {
      rename(VchRecords.FINISHED, VchRecords.UNFINISHED);
    }
    removeParts();
  }

  /** The record goes last, for by it the rest is found. */
  private void removeParts() {
    parts.remove(vmFolder, name);
    parts.remove(parentPool, name);
    files.delete(root);
  }

  private void abandon() {
    boolean interrupted = Thread.interrupted();
    try {
      removeParts();
    } catch (PortLayerException | VimFault e) {
      LOG.warn(
          "What was made of the VCH {} is left ({}): 'berth vch delete {}' removes it",
          name,
          e.getMessage(),
          name);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
