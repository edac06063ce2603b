/** The vCenter lab, for tests. */
@NullMarked
package dev.berth.portlayer.vsphere.lab;

import org.jspecify.annotations.NullMarked;
