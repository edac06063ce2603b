package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Service.DatastoreSummary;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where the VCHs of a vCenter are of record: each in the folder of its name on its datastore, as
 * {@code vch.json}, or as {@code unfinished.json} while it is made or removed.
 */
final class VchRecords {
  static final String FINISHED = "vch.json";
  static final String UNFINISHED = "unfinished.json";

  /** Longer than any record. */
  private static final int MOST_BYTES = 1 << 20;

  private final VimClient client;
  private final PropertyStream tasks;
  private final InventoryTree tree;

  /**
   * @param finished whether all of it is there
   */
  record Found(
      VchRecord record,
      boolean finished,
      ManagedObject datacenter,
      ManagedObjectReference datastore,
      DatastoreFiles files,
      DatastorePath root) {}

  VchRecords(VimClient client, PropertyStream tasks, InventoryTree tree) {
    this.client = client;
    this.tasks = tasks;
    this.tree = tree;
  }

  DatastoreFiles files(ManagedObject datacenter, ManagedObjectReference datastore) {
    return new DatastoreFiles(
        client, tasks, datacenter.reference(), tree.path(datacenter), datastore);
  }

  /** The VCH of a name; its datastore can be used. */
  Optional<Found> find(String name) {
    return tree.all("Datacenter")
        .flatMap(datacenter -> datastores(datacenter).map(each -> files(datacenter, each, name)))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private Optional<Found> files(
      ManagedObject datacenter, ManagedObjectReference datastore, String name) {
    return in(datacenter, datastore, files(datacenter, datastore), name);
  }

  /** All VCHs of whose datastores the files may be listed, by name. */
  List<Found> all() {
    return tree.all("Datacenter")
        .flatMap(datacenter -> datastores(datacenter).flatMap(each -> all(datacenter, each)))
        .sorted((a, b) -> a.record().name().compareTo(b.record().name()))
        .toList();
  }

  /** A VCH has a folder of VMs and one of files: names that have both are few. */
  private Stream<Found> all(ManagedObject datacenter, ManagedObjectReference datastore) {
    DatastoreFiles files = files(datacenter, datastore);
    ManagedObjectReference vms = InventoryTree.reference(datacenter, "vmFolder");
    Set<String> folders = new HashSet<>();
    try {
      files.list(files.root()).forEach(folders::add);
    } catch (PortLayerException e) {
      requireAbsence(e);
    }
    return folders.stream()
        .filter(name -> tree.child(vms, "Folder", name).isPresent())
        .map(name -> in(datacenter, datastore, files, name))
        .flatMap(Optional::stream);
  }

  private Stream<ManagedObjectReference> datastores(ManagedObject datacenter) {
    return tree.all("Datastore")
        .filter(datastore -> tree.inside(datastore, datacenter.reference()))
        .filter(
            datastore ->
                datastore
                    .get("summary", DatastoreSummary.class)
                    .map(DatastoreSummary::accessible)
                    .orElse(false))
        .map(ManagedObject::reference);
  }

  private Optional<Found> in(
      ManagedObject datacenter,
      ManagedObjectReference datastore,
      DatastoreFiles files,
      String name) {
    DatastorePath root = files.root().resolve(name);
    return Stream.of(FINISHED, UNFINISHED)
        .flatMap(
            file ->
                read(files, root.resolve(file))
                    .map(
                        record ->
                            new Found(
                                record, file.equals(FINISHED), datacenter, datastore, files, root))
                    .stream())
        // A datastore may be one of several datacenters.
        .filter(found -> found.record().specification().datacenter().equals(tree.path(datacenter)))
        .findFirst();
  }

  private static Optional<VchRecord> read(DatastoreFiles files, DatastorePath file) {
    try {
      return Optional.of(VchRecord.parse(file.toString(), files.read(file, 0, MOST_BYTES)));
    } catch (PortLayerException e) {
      requireAbsence(e);
      return Optional.empty();
    }
  }

  /** What may not be read is another tenant's. */
  private static void requireAbsence(PortLayerException e) {
    if (e.code() != Code.NOT_FOUND && e.code() != Code.PERMISSION_DENIED) {
      throw e;
    }
  }
}
