/** Rules of the code that every module's tests apply. */
@NullMarked
package dev.berth.portlayer.architecture;

import org.jspecify.annotations.NullMarked;
