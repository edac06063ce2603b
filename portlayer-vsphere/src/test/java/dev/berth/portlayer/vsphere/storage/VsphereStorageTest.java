package dev.berth.portlayer.vsphere.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.testing.TarBuilder;
import dev.berth.portlayer.image.testing.TestImage;
import dev.berth.portlayer.image.testing.TestRegistry;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images and disks on a datastore of the lab, beyond what the port layer's contract says. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(180)
class VsphereStorageTest {
  private static final long MEBIBYTE = 1 << 20;

  private final TestLab lab;
  private final VimClient client;
  private final PropertyStream stream;
  private final DatastoreFiles files;
  private final DatastorePath root;
  private final TestRegistry registry = new TestRegistry();
  private final ImageStore images;
  private final Path local;

  VsphereStorageTest(TestLab lab, @TempDir Path directory) throws IOException {
    this.lab = lab;
    lab.reset();
    local = Files.createDirectory(directory.resolve("uploads"));
    client = VimClient.connect(lab.settings());
    stream = PropertyStream.open(client, List.of(), (following, changed) -> {});
    files =
        new DatastoreFiles(
            client,
            stream,
            LabFolder.find(client, "DC0"),
            "DC0",
            LabFolder.find(client, "DC0/datastore/LocalDS_0"));
    root = files.root().resolve("storage-" + UUID.randomUUID());
    images =
        ImageStore.open(
            ImageStoreConfiguration.defaults(directory.resolve("images"))
                .withRegistries(List.of(registry.configuration())));
  }

  @BeforeEach
  void counts() {
    lab.reset();
  }

  @AfterEach
  void close() {
    lab.reset();
    files.delete(root);
    images.close();
    registry.close();
    stream.close();
    client.close();
  }

  /** A service that knows what is on the datastore, and nothing else. */
  private VsphereStorage open() {
    return new VsphereStorage(images, files, root, local, id -> id.equals("attached"));
  }

  private ImageRequest image(String content) {
    TestImage image =
        new TestImage()
            .layer(new TarBuilder().file("content", content).build(), TestImage.Compression.GZIP);
    return new ImageRequest(
        registry.push("image/" + content, "1", image), List.of(), Duration.ofMinutes(1));
  }

  private String read(String location, int length) {
    return new String(
        files.read(DatastorePath.parse(location), 0, length), StandardCharsets.ISO_8859_1);
  }

  @Test
  void anImageIsUploadedOnceHoweverManyWantIt() throws Exception {
    VsphereStorage storage = open();
    ImageRequest request = image("a");
    List<Image> pulled = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Image>> all = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        all.add(threads.submit(() -> storage.pullImage(request)));
      }
      for (var one : all) {
        pulled.add(one.get());
      }
    }
    String location = pulled.getFirst().disk().location();

    assertEquals(1, pulled.stream().map(image -> image.disk().location()).distinct().count());
    assertEquals(3, lab.calls("MoveDatastoreFile_Task"), "two files and their folder");
    assertTrue(storage.exists(pulled.getFirst().disk()));
    assertTrue(read(location, 1000).contains("RW "), location);
    String extent = location.replace("disk.vmdk", "disk-flat.vmdk");
    assertEquals("hsqs", read(extent, 4));
    assertEquals(
        Optional.of(location),
        storage.findImage(request.reference()).map(i -> i.disk().location()));

    lab.reset();
    assertEquals(location, open().pullImage(request).disk().location());
    assertEquals(0, lab.calls("MoveDatastoreFile_Task"), "it was there");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PUT /folder/", "MoveDatastoreFile_Task", "MakeDirectory"})
  void anImageThatCouldNotBeUploadedIsNone(String what) {
    VsphereStorage storage = open();
    ImageRequest request = image("broken");
    lab.fault(
        what.contains("/")
            ? Map.of("path", what, "way", "broken", "count", -1)
            : Map.of("method", what, "way", "broken", "count", -1));

    assertThrows(PortLayerException.class, () -> storage.pullImage(request));
    lab.reset();
    assertEquals(List.of(), storage.listImages());
    assertEquals(List.of(), open().listImages());
    assertEquals(List.of(), files.list(root.resolve("unfinished")));

    assertEquals(1, List.of(storage.pullImage(request)).size());
    assertEquals(1, storage.listImages().size());
  }

  @Test
  void anImageIsRemovedFromTheDatastore() {
    VsphereStorage storage = open();
    Image image = storage.pullImage(image("gone"));
    assertThrows(
        PortLayerException.class, () -> storage.removeImage(image.id(), Set.of(image.id())));
    assertTrue(storage.exists(image.disk()));

    storage.removeImage(image.id(), Set.of());

    assertFalse(storage.exists(image.disk()));
    assertEquals(List.of(), files.list(root.resolve("images")));
  }

  @Test
  void whatTheImageStoreHasForgottenIsGarbageUnlessInUse() {
    VsphereStorage storage = open();
    Image used = storage.pullImage(image("used"));
    Image unused = storage.pullImage(image("unused"));
    images.remove(used.id(), Set.of());
    images.remove(unused.id(), Set.of());

    storage.collectGarbage(GarbagePolicy.defaults(), Set.of(used.id()));

    assertTrue(storage.exists(used.disk()));
    assertFalse(storage.exists(unused.disk()));
  }

  @Test
  void aDiskIsACopyWithAnIdentityOfItsOwn() {
    VsphereStorage storage = open();
    DiskAttachment first = storage.createDisk("web.1", Role.SCRATCH, 16 * MEBIBYTE);
    lab.reset();
    DiskAttachment second = storage.createDisk("web.2", Role.SCRATCH, 16 * MEBIBYTE);

    assertEquals(1, lab.calls("CopyVirtualDisk_Task"));
    assertEquals(1, lab.calls("MoveDatastoreFile_Task"), "the template was there");
    for (DiskAttachment disk : List.of(first, second)) {
      String uuid = Vmdk.punctuated(Vmdk.uuid(disk.id()));
      assertTrue(read(disk.location(), 2000).contains(uuid), disk.location());
    }
    DatastorePath extent = DatastorePath.parse(second.location()).sibling("disk-flat.vmdk");
    assertArrayEquals(
        new byte[] {0x53, (byte) 0xef},
        Arrays.copyOf(files.read(extent, 1024 + 56, 2), 2),
        "the magic number of ext4");
  }

  @Test
  void ofATemplateOnlyTheBeginningIsUploaded() {
    DiskAttachment disk = open().createDisk("large", Role.SCRATCH, 10_240 * MEBIBYTE);

    assertEquals(1, lab.calls("ExtendVirtualDisk_Task"));
    assertTrue(read(disk.location(), 2000).contains("RW 20971520 VMFS"), disk.location());
    DatastorePath extent = DatastorePath.parse(disk.location()).sibling("disk-flat.vmdk");
    assertEquals(OptionalLong.of(10_240 * MEBIBYTE), files.size(extent));
  }

  @Test
  void disksAreKnownAfterARestart() {
    DiskAttachment scratch = open().createDisk("a.b-c", Role.SCRATCH, 16 * MEBIBYTE);
    DiskAttachment volume = open().createDisk("volume", Role.VOLUME, 17 * MEBIBYTE);

    VsphereStorage storage = open();

    assertEquals(Set.of(scratch, volume), Set.copyOf(storage.listDisks()));
    assertEquals(scratch, storage.createDisk("a.b-c", Role.SCRATCH, 16 * MEBIBYTE));
    StorageUsage usage = storage.usage();
    assertEquals(33 * MEBIBYTE, usage.disks());
    assertTrue(usage.capacity() > 0 && usage.available() <= usage.capacity());
  }

  @Test
  void aTemplateThatCouldNotBeExtendedIsNone() {
    VsphereStorage storage = open();
    lab.fault(Map.of("method", "ExtendVirtualDisk_Task", "way", "broken", "count", -1));
    assertThrows(
        PortLayerException.class, () -> storage.createDisk("a", Role.SCRATCH, 64 * MEBIBYTE));
    assertEquals(List.of(), files.list(root.resolve("templates")));

    lab.reset();
    DiskAttachment disk = storage.createDisk("a", Role.SCRATCH, 64 * MEBIBYTE);
    assertTrue(read(disk.location(), 2000).contains("RW 131072 VMFS"), disk.location());
  }

  @ParameterizedTest
  @ValueSource(strings = {"CopyVirtualDisk_Task", "SetVirtualDiskUuid", "MoveDatastoreFile_Task"})
  void aDiskThatCouldNotBeMadeIsNone(String method) {
    VsphereStorage storage = open();
    storage.createDisk("first", Role.SCRATCH, 16 * MEBIBYTE);
    lab.fault(Map.of("method", method, "fault", "NoDiskSpace"));

    PortLayerException e =
        assertThrows(
            PortLayerException.class,
            () -> storage.createDisk("second", Role.SCRATCH, 16 * MEBIBYTE));
    assertEquals(PortLayerException.Code.RESOURCE_EXHAUSTED, e.code());
    assertEquals(1, open().listDisks().size());
    assertEquals(List.of(), files.list(root.resolve("unfinished")));

    storage.createDisk("second", Role.SCRATCH, 16 * MEBIBYTE);
    assertEquals(2, storage.listDisks().size());
  }

  @Test
  void aDiskThatIsAttachedStays() {
    VsphereStorage storage = open();
    DiskAttachment disk = storage.createDisk("attached", Role.SCRATCH, 16 * MEBIBYTE);

    assertThrows(PortLayerException.class, () -> storage.deleteDisk("attached"));
    assertTrue(storage.exists(disk));
  }
}
