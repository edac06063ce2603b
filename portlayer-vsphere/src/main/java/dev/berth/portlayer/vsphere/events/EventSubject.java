package dev.berth.portlayer.vsphere.events;

/** Which containerVM a VM is. */
public record EventSubject(String containerVmId, String groupId) {}
