package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vch.VchRecords.Found;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Service.DatastoreSummary;
import java.util.List;
import java.util.Optional;

/**
 * A VCH as it is now.
 *
 * @param finished as {@link VchAdministration.Listed}
 * @param missing what the record tells of and vCenter has not, for people
 * @param megahertz the most that its VMs may use together now
 * @param memory the same in bytes
 * @param root its folder on the datastore
 * @param freeSpace of the datastore, in bytes
 */
public record VchState(
    VchRecord record,
    boolean finished,
    List<String> missing,
    int containerVms,
    int running,
    long megahertz,
    long memory,
    String root,
    long freeSpace) {
  private static final String CPU = "runtime.cpu.maxUsage";
  private static final String MEMORY = "runtime.memory.maxUsage";

  static VchState of(
      VimClient client,
      Found found,
      VchMembers members,
      Optional<ManagedObjectReference> pool,
      List<String> missing) {
    Optional<ManagedObject> runtime =
        pool.map(reference -> ManagedObject.read(client, reference, List.of(CPU, MEMORY)));
    DatastoreSummary summary = found.files().summary();
    return new VchState(
        found.record(),
        found.finished(),
        missing,
        members.count(),
        members.running(),
        runtime.flatMap(object -> object.get(CPU, Long.class)).orElse(0L),
        runtime.flatMap(object -> object.get(MEMORY, Long.class)).orElse(0L),
        found.root().toString(),
        summary.freeSpace());
  }
}
