/**
 * vSphere's data objects and method parameters, as far as Berth uses them, and their JSON.
 *
 * <p>A record has the name and the properties of its type in the vSphere API, whose reference says
 * what they mean; a property that Berth neither sends nor reads is left out. Only what a vCenter
 * may leave unset is nullable.
 */
@NullMarked
package dev.berth.portlayer.vsphere.vim;

import org.jspecify.annotations.NullMarked;
