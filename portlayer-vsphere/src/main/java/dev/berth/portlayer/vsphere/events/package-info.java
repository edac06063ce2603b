/** What vCenter writes down of what happened, as events of the port layer. */
@NullMarked
package dev.berth.portlayer.vsphere.events;

import org.jspecify.annotations.NullMarked;
