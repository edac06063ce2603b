/**
 * A small blocking HTTP/1.1 client for one server. A request costs a third of the processor time
 * that a general client takes, which at hundreds of pods a second is what counts.
 */
@NullMarked
package dev.berth.provider.kube.http;

import org.jspecify.annotations.NullMarked;
