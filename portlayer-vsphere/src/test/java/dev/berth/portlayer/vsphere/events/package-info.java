/** Tests of events. */
@NullMarked
package dev.berth.portlayer.vsphere.events;

import org.jspecify.annotations.NullMarked;
