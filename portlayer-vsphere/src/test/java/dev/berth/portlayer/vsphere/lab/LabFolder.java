package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.TraversalSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineFileInfo;
import java.util.List;

/** A folder of VMs for one test, without hardware. */
public record LabFolder(
    VimClient client, ManagedObjectReference reference, ManagedObjectReference pool) {
  public static LabFolder create(VimClient client, String name) {
    ManagedObjectReference parent = find(client, "DC0/vm");
    return new LabFolder(
        client,
        client.call(parent, new Methods.CreateFolder(name)),
        find(client, "DC0/host/DC0_C0/Resources"));
  }

  /** A folder that there is. */
  public static LabFolder of(VimClient client, String path) {
    return new LabFolder(client, find(client, path), find(client, "DC0/host/DC0_C0/Resources"));
  }

  public static ManagedObjectReference find(VimClient client, String path) {
    return client.call(client.content().searchIndex(), new Methods.FindByInventoryPath(path));
  }

  /** The folder, and the name and power of all VMs in it. */
  public PropertyFilterSpec filter() {
    return new PropertyFilterSpec(
        List.of(
            new PropertySpec("Folder", List.of("name")),
            new PropertySpec("VirtualMachine", List.of("name", "runtime.powerState"))),
        List.of(
            new ObjectSpec(
                reference,
                false,
                List.of(new TraversalSpec(null, "Folder", "childEntity", false, List.of())))));
  }

  public Methods.CreateVm vm(String name) {
    return new Methods.CreateVm(
        new VirtualMachineConfigSpec(
            null,
            name,
            null,
            "other6xLinux64Guest",
            null,
            null,
            new VirtualMachineFileInfo("[LocalDS_0]"),
            1,
            null,
            64L,
            List.of(),
            null,
            null,
            List.of()),
        pool,
        null);
  }
}
