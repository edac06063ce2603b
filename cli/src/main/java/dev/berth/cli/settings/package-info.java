/** What the kubelet command is told, by flags and a configuration file. */
@NullMarked
package dev.berth.cli.settings;

import org.jspecify.annotations.NullMarked;
