/** Tests of the package. */
@NullMarked
package dev.berth.portlayer.vsphere.interaction;

import org.jspecify.annotations.NullMarked;
