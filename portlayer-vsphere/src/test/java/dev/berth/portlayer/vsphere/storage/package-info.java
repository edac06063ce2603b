/** Tests of the storage service. */
@NullMarked
package dev.berth.portlayer.vsphere.storage;

import org.jspecify.annotations.NullMarked;
