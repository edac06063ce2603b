@NullMarked
package dev.berth.portlayer.local.network;

import org.jspecify.annotations.NullMarked;
