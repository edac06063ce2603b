package dev.berth.portlayer.storage;

/**
 * Space on the datastore that the VCH uses.
 *
 * @param capacity bytes in all
 * @param available bytes still free
 * @param images bytes that image disks and cached layers occupy
 * @param disks bytes that scratch disks and volumes really occupy
 */
public record StorageUsage(long capacity, long available, long images, long disks) {}
