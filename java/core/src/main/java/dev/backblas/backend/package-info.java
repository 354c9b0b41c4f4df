/**
 * The kernels: the products of backpropagation over the caller's own {@code float[]}, on OpenBLAS or on pure Java.
 *
 * <p>{@link dev.backblas.backend.Backend} is usable alone, under any network that holds its weights in arrays. Matrices are
 * column-major, one sample a column: the memory of a row-major {@code float[m][n]} laid end to end.
 */
@NullMarked
package dev.backblas.backend;

import org.jspecify.annotations.NullMarked;
