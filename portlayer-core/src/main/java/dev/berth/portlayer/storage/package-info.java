/** Images as read-only disks, scratch disks and volumes. */
@NullMarked
package dev.berth.portlayer.storage;

import org.jspecify.annotations.NullMarked;
