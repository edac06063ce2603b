@NullMarked
package dev.berth.portlayer.local.compute;

import org.jspecify.annotations.NullMarked;
