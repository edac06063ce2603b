@NullMarked
package dev.berth.portlayer.local.storage;

import org.jspecify.annotations.NullMarked;
