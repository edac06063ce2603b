/** What reaches into containerVMs, and what they leave on the datastore. */
@NullMarked
package dev.berth.portlayer.vsphere.interaction;

import org.jspecify.annotations.NullMarked;
