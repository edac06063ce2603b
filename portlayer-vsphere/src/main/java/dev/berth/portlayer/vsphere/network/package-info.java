/** Port groups as container networks. */
@NullMarked
package dev.berth.portlayer.vsphere.network;

import org.jspecify.annotations.NullMarked;
