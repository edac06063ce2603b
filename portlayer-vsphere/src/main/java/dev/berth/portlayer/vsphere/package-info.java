/** The port layer on vCenter: containerVMs in a resource pool, spoken to over VI/JSON. */
@NullMarked
package dev.berth.portlayer.vsphere;

import org.jspecify.annotations.NullMarked;
