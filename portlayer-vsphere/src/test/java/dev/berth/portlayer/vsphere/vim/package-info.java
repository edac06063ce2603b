@NullMarked
package dev.berth.portlayer.vsphere.vim;

import org.jspecify.annotations.NullMarked;
