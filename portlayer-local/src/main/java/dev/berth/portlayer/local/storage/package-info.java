/** Scratch disks and volumes as sparse files, beside the image store. */
@NullMarked
package dev.berth.portlayer.local.storage;

import org.jspecify.annotations.NullMarked;
