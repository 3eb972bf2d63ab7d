/**
 * What this machine can do, and why not where it cannot. Everything is looked at or tried, nothing is changed; two
 * ranks are started to see that they meet and how fast a flag travels. What the commands do with that is not known
 * here.
 */
@NullMarked
package io.lockstep.cli.doctor;

import org.jspecify.annotations.NullMarked;
