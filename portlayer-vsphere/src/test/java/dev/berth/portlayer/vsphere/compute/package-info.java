/** Tests of groups of VMs. */
@NullMarked
package dev.berth.portlayer.vsphere.compute;

import org.jspecify.annotations.NullMarked;
