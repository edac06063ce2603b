/** What a user sees, on a real control plane with real VMs. */
@NullMarked
package dev.berth.e2e;

import org.jspecify.annotations.NullMarked;
