/** The command line behind the launcher {@code ./backblas}. */
@NullMarked
package dev.backblas.cli;

import org.jspecify.annotations.NullMarked;
