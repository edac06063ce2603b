/** Tests of logs on datastores. */
@NullMarked
package dev.berth.portlayer.vsphere.interaction;

import org.jspecify.annotations.NullMarked;
