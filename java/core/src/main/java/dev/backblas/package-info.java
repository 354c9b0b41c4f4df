/**
 * Dense neural networks: {@link dev.backblas.Network} predicts, {@link dev.backblas.Trainer} trains it on a
 * {@link dev.backblas.Dataset}, and {@link dev.backblas.Preset} builds the five systems of the project's equations.
 *
 * <p>One convention throughout: a batch X is n × m, column j is sample j, each column contiguous (the memory of a row-major
 * {@code float[m][n]}); W is in × out; layers are counted from 1, so that W¹ leads from the input to the first layer.
 */
@NullMarked
package dev.backblas;

import org.jspecify.annotations.NullMarked;
