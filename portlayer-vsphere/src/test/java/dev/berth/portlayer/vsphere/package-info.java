/** Tests of the vSphere backend. */
@NullMarked
package dev.berth.portlayer.vsphere;

import org.jspecify.annotations.NullMarked;
