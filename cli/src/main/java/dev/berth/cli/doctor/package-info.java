/** What a machine lacks to run containerVMs. */
@NullMarked
package dev.berth.cli.doctor;

import org.jspecify.annotations.NullMarked;
