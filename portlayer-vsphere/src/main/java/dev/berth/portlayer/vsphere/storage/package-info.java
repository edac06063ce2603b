/** Images, scratch disks and volumes as virtual disks on a datastore. */
@NullMarked
package dev.berth.portlayer.vsphere.storage;

import org.jspecify.annotations.NullMarked;
