package dev.berth.portlayer.vsphere.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.lab.LabFolder;
import dev.berth.portlayer.vsphere.lab.TestLab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of a datastore of the lab. */
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class DatastoreFilesTest {
  private static final Progress NOBODY = (sent, total) -> {};

  private final TestLab lab;
  private final VimClient client;
  private final PropertyStream stream;
  private final DatastoreFiles files;
  private final DatastorePath folder;
  @TempDir private Path local;

  DatastoreFilesTest(TestLab lab) {
    this.lab = lab;
    client = VimClient.connect(lab.settings());
    stream = PropertyStream.open(client, List.of(), (following, changed) -> {});
    files =
        new DatastoreFiles(
            client,
            stream,
            LabFolder.find(client, "DC0"),
            "DC0",
            LabFolder.find(client, "DC0/datastore/LocalDS_0"));
    folder = files.root().resolve("files " + UUID.randomUUID()).resolve("%41+b");
  }

  @BeforeEach
  void makeFolder() {
    lab.reset();
    files.makeDirectory(folder);
    files.makeDirectory(folder);
  }

  @AfterEach
  void close() {
    lab.reset();
    files.delete(folder);
    files.delete(folder);
    stream.close();
    client.close();
  }

  private byte[] upload(DatastorePath target, int size, Progress progress) throws IOException {
    byte[] content = new byte[size];
    new Random(size).nextBytes(content);
    files.upload(Files.write(local.resolve("source"), content), target, progress);
    return content;
  }

  @Test
  void aFileComesBackAsItWent() throws IOException {
    DatastorePath file = folder.resolve("a b.bin");
    List<Long> sent = Collections.synchronizedList(new ArrayList<>());

    byte[] content = upload(file, 300_000, (bytes, total) -> sent.add(bytes));

    assertEquals(OptionalLong.of(content.length), files.size(file));
    assertArrayEquals(content, files.read(file, 0, content.length));
    assertArrayEquals(Arrays.copyOfRange(content, 1000, 1500), files.read(file, 1000, 500));
    assertArrayEquals(
        Arrays.copyOfRange(content, 299_990, 300_000), files.read(file, 299_990, 500));
    assertEquals(0, files.read(file, 300_000, 10).length, "behind its end");
    assertEquals(300_000L, sent.getLast());
    assertEquals(List.of("a b.bin"), files.list(folder));
  }

  @Test
  void anEmptyFileIsAFile() throws IOException {
    upload(folder.resolve("empty"), 0, NOBODY);

    assertEquals(OptionalLong.of(0), files.size(folder.resolve("empty")));
    assertEquals(0, files.read(folder.resolve("empty"), 0, 10).length);
  }

  @Test
  void aFileIsReplacedAsAWhole() throws IOException {
    DatastorePath file = folder.resolve("file");
    upload(file, 1000, NOBODY);
    byte[] second = upload(file, 500, NOBODY);

    assertArrayEquals(second, files.read(file, 0, 5000));
  }

  @Test
  void whatIsNotThereIsNot() {
    DatastorePath nothing = folder.resolve("nothing");
    assertEquals(OptionalLong.empty(), files.size(nothing));
    assertEquals(List.of(), files.list(nothing));
    assertEquals(
        Code.NOT_FOUND,
        assertThrows(PortLayerException.class, () -> files.read(nothing, 0, 1)).code());
  }

  @ParameterizedTest
  @ValueSource(strings = {"lost", "broken", "status"})
  void aBrokenUploadBeginsAgain(String way) throws IOException {
    lab.fault(Map.of("path", "PUT /folder/", "way", way, "count", 2));

    byte[] content = upload(folder.resolve("file"), 200_000, NOBODY);

    assertArrayEquals(content, files.read(folder.resolve("file"), 0, content.length));
    assertEquals(way.equals("lost") ? 1 : 2, lab.faults(), "what has arrived is not sent again");
  }

  @Test
  void whatWasMovedWithoutAWordIsThere() throws IOException {
    lab.fault(Map.of("method", "MoveDatastoreFile_Task", "way", "lost"));

    byte[] content = upload(folder.resolve("file"), 1000, NOBODY);

    assertArrayEquals(content, files.read(folder.resolve("file"), 0, content.length));
  }

  @Test
  void anUploadThatFailsLeavesNothingUnderTheName() {
    lab.fault(Map.of("path", "PUT /folder/", "way", "broken", "count", -1));

    PortLayerException e =
        assertThrows(PortLayerException.class, () -> upload(folder.resolve("file"), 1000, NOBODY));

    assertEquals(Code.UNAVAILABLE, e.code());
    assertEquals(OptionalLong.empty(), files.size(folder.resolve("file")));
  }

  @Test
  void anEndedSessionIsRenewed() throws IOException {
    lab.expireSessions();
    byte[] content = upload(folder.resolve("file"), 100_000, NOBODY);
    lab.expireSessions();

    assertArrayEquals(content, files.read(folder.resolve("file"), 0, content.length));
  }

  @Test
  void foldersMoveWithAllThatIsInThem() throws IOException {
    DatastorePath before = folder.resolve("before");
    DatastorePath after = folder.resolve("after");
    files.makeDirectory(before);
    byte[] content = upload(before.resolve("file"), 10, NOBODY);

    files.move(before, after);

    assertArrayEquals(content, files.read(after.resolve("file"), 0, 10));
    assertEquals(Set.of("after"), new TreeSet<>(files.list(folder)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"[ds1]", "[ds1] a", "[my ds] a/b c.vmdk"})
  void pathsAreReadAsTheyAreWritten(String text) {
    assertEquals(text, DatastorePath.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ds1/a", "[ds1] /a", "[] a", "[ds1] a/"})
  void whatIsNoPathIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> DatastorePath.parse(text));
  }
}
