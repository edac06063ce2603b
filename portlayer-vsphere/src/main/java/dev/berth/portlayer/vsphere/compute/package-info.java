/** Groups of containerVMs as VMs in a resource pool. */
@NullMarked
package dev.berth.portlayer.vsphere.compute;

import org.jspecify.annotations.NullMarked;
