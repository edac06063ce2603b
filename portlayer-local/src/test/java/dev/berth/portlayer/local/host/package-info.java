@NullMarked
package dev.berth.portlayer.local.host;

import org.jspecify.annotations.NullMarked;
