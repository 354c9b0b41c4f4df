/**
 * Dense neural networks. {@link dev.backblas.MlpClassifier} and {@link dev.backblas.MlpRegressor} are what most programs need:
 * {@code fit}, {@code predict}, {@code save}. Below them {@link dev.backblas.Network} predicts, {@link dev.backblas.Trainer}
 * trains it on a {@link dev.backblas.Dataset}, and {@link dev.backblas.Preset} builds the five systems of the equations.
 *
 * <p>Samples come from arrays, from IDX files, from the rows of a table ({@link dev.backblas.TableEncoder}) or as a
 * {@link dev.backblas.SampleStream} that needs no memory for all of them. Models are safetensors files; those of other libraries
 * come in through {@link dev.backblas.WeightImport}.
 *
 * <p>One convention throughout: a batch X is n × m, column j is sample j, each column contiguous (the memory of a row-major
 * {@code float[m][n]}); W is in × out; layers are counted from 1, so that W¹ leads from the input to the first layer.
 */
@NullMarked
package dev.backblas;

import org.jspecify.annotations.NullMarked;
