@NullMarked
package dev.berth.portlayer.tether;

import org.jspecify.annotations.NullMarked;
