@NullMarked
package dev.berth.provider.cluster;

import org.jspecify.annotations.NullMarked;
