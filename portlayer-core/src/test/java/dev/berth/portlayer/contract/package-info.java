/** What every backend of the port layer must do, as one suite of tests. */
@NullMarked
package dev.berth.portlayer.contract;

import org.jspecify.annotations.NullMarked;
