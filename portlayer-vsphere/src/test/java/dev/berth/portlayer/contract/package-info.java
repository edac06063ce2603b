/** The parts of the contract that the services on vCenter keep so far. */
@NullMarked
package dev.berth.portlayer.contract;

import org.jspecify.annotations.NullMarked;
