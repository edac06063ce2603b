/**
 * One machine's installation: control plane, registry and VCH in a network namespace of their own.
 */
@NullMarked
package dev.berth.cli.quickstart;

import org.jspecify.annotations.NullMarked;
