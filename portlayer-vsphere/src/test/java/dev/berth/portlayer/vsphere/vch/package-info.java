/** VCHs in the lab. */
@NullMarked
package dev.berth.portlayer.vsphere.vch;

import org.jspecify.annotations.NullMarked;
