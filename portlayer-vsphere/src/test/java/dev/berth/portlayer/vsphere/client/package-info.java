/** Tests of the client. */
@NullMarked
package dev.berth.portlayer.vsphere.client;

import org.jspecify.annotations.NullMarked;
