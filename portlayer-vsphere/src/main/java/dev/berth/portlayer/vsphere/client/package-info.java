/** A connection to a vCenter: calls over VI/JSON, one stream of properties and tasks, files. */
@NullMarked
package dev.berth.portlayer.vsphere.client;

import org.jspecify.annotations.NullMarked;
