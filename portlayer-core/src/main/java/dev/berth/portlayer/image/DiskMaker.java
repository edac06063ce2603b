package dev.berth.portlayer.image;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import dev.berth.portlayer.image.layer.LayerArchive;
import dev.berth.portlayer.image.layer.LayerDecompressor;
import dev.berth.portlayer.image.layer.SquashfsBuilder;
import dev.berth.portlayer.image.registry.Descriptor;
import dev.berth.portlayer.image.registry.RegistryClient;
import dev.berth.portlayer.image.registry.ResolvedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Makes the disk of one image: downloads its layers, decompresses them into temporary archives, and
 * merges these. Archives on disk are read at random, which lets the merge take each file once from
 * wherever it is; they cost less than decompressing twice.
 */
final class DiskMaker implements AutoCloseable {
  private final StoreDirectory directory;
  private final ImageCatalog catalog;
  private final SquashfsBuilder builder;
  private final AtomicLong counter = new AtomicLong();

  /** Hashing and decompressing are computation; they would hold up virtual threads. */
  private final ExecutorService layerWorkers;

  private final SharedTasks<Digest, Path> downloads;

  DiskMaker(
      StoreDirectory directory, ImageCatalog catalog, SquashfsBuilder builder, int parallelLayers) {
    this.directory = directory;
    this.catalog = catalog;
    this.builder = builder;
    this.layerWorkers =
        Executors.newFixedThreadPool(
            parallelLayers, Thread.ofPlatform().daemon().name("image-layer-", 0).factory());
    this.downloads = new SharedTasks<>(layerWorkers, "downloading a layer");
  }

  /** Downloads and builds; the image is in the catalog, without a name, when this returns. */
  ImageRecord make(RegistryClient.Pull pull, ResolvedImage image, Supplier<Deadline> deadline) {
    List<Digest> blobs = image.layers().stream().map(layer -> layer.blob().digest()).toList();
    String name = Long.toString(counter.incrementAndGet());
    Path output = directory.work(name + ".squashfs");
    List<LayerArchive> archives = archives(name, image);
    catalog.pin(blobs);
    try {
      extractAll(pull, image, archives, deadline);
      builder.build(archives, output);
      archives.forEach(archive -> remove(archive.archive()));
      return commit(image, blobs, output);
    } finally {
      archives.forEach(archive -> remove(archive.archive()));
      remove(output);
      catalog.unpin(blobs);
    }
  }

  private List<LayerArchive> archives(String name, ResolvedImage image) {
    List<LayerArchive> archives = new ArrayList<>();
    for (ResolvedImage.Layer layer : image.layers()) {
      Path archive = directory.work(name + "-" + archives.size() + ".tar");
      archives.add(new LayerArchive(layer.blob().digest().toString(), archive));
    }
    return archives;
  }

  private ImageRecord commit(ResolvedImage image, List<Digest> blobs, Path output) {
    Digest id = image.configurationDigest();
    try {
      long size = Files.size(output);
      directory.syncAndMove(output, directory.disk(id));
      ImageRecord record =
          new ImageRecord(id, List.of(), List.of(), image.configuration(), blobs, size);
      catalog.add(record);
      return record;
    } catch (IOException e) {
      throw StorageFailures.of("failed to store image disk", e);
    }
  }

  private void extractAll(
      RegistryClient.Pull pull,
      ResolvedImage image,
      List<LayerArchive> archives,
      Supplier<Deadline> deadline) {
    try (ExecutorService scope = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> extracts = new ArrayList<>();
      for (int i = 0; i < archives.size(); i++) {
        ResolvedImage.Layer layer = image.layers().get(i);
        Path archive = archives.get(i).archive();
        extracts.add(scope.submit(() -> extract(pull, layer, archive, deadline)));
      }
      try {
        for (Future<?> extract : extracts) {
          await(extract);
        }
      } finally {
        scope.shutdownNow(); // After a failure the others' work is of no use now.
      }
    }
  }

  private void extract(
      RegistryClient.Pull pull,
      ResolvedImage.Layer layer,
      Path archive,
      Supplier<Deadline> deadline) {
    Descriptor blob = layer.blob();
    Path file = downloads.run(blob.digest(), deadline, false, shared -> download(pull, blob));
    Future<?> work =
        layerWorkers.submit(
            () ->
                LayerDecompressor.decompress(
                    file, archive, layer.diffId(), blob.digest().toString()));
    try {
      await(work);
    } catch (PortLayerException e) {
      work.cancel(true);
      if (e.code() == Code.CORRUPT) {
        remove(file); // It matches its digest, or did: fetched anew, it may turn out better.
      }
      throw e;
    }
  }

  private Path download(RegistryClient.Pull pull, Descriptor blob) {
    Path file = directory.blob(blob.digest());
    if (Files.exists(file)) {
      return file;
    }
    Path partial = directory.partial(blob.digest());
    pull.download(blob, partial);
    try {
      directory.move(partial, file);
      return file;
    } catch (IOException e) {
      throw StorageFailures.of("failed to store layer " + blob.digest(), e);
    }
  }

  private static void await(Future<?> work) {
    try {
      work.get();
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("extracting layers", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PortLayerException known) {
        throw known;
      }
      throw new PortLayerException(Code.INTERNAL, "extracting layers failed: " + e.getCause(), e);
    }
  }

  private static void remove(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      // The store's next opening removes it.
    }
  }

  @Override
  public void close() {
    layerWorkers.shutdownNow();
    layerWorkers.close();
  }
}
