/** The node object and its lease. */
@NullMarked
package dev.berth.provider.node;

import org.jspecify.annotations.NullMarked;
