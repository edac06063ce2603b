/**
 * The port layer: five services that turn a resource pool, its datastores and its networks into a
 * host for containerVMs.
 */
@NullMarked
package dev.berth.portlayer;

import org.jspecify.annotations.NullMarked;
