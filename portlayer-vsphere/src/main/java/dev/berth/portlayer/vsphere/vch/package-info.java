/** A VCH on vCenter: how it is asked for, made, found and removed. */
@NullMarked
package dev.berth.portlayer.vsphere.vch;

import org.jspecify.annotations.NullMarked;
