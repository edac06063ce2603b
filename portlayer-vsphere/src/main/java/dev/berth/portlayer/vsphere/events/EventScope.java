package dev.berth.portlayer.vsphere.events;

import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;

/**
 * Of what a VCH tells events.
 *
 * @param folder that its VMs are in
 * @param cluster that they run on, or a host alone: its hosts' events are told too
 * @param datastore that its files are on: its alarms are told too
 */
public record EventScope(
    ManagedObjectReference folder,
    ManagedObjectReference cluster,
    ManagedObjectReference datastore) {}
