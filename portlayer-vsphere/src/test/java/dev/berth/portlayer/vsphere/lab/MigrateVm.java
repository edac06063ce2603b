package dev.berth.portlayer.vsphere.lab;

import dev.berth.portlayer.vsphere.vim.Call;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods.TaskRequest;

/** Moves a VM to another host, which Berth itself leaves to DRS and administrators. */
@Call("MigrateVM_Task")
public record MigrateVm(ManagedObjectReference host, String priority) implements TaskRequest {}
