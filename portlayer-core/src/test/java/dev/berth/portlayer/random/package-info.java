/** Tests over random input that can be repeated. */
@NullMarked
package dev.berth.portlayer.random;

import org.jspecify.annotations.NullMarked;
