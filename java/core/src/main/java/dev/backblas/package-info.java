/**
 * Dense neural networks. {@link dev.backblas.MlpClassifier} and {@link dev.backblas.MlpRegressor} are what most programs need:
 * {@code fit}, {@code predict}, {@code save}.
 *
 * <pre>{@code
 * import dev.backblas.MlpClassifier;
 * import java.nio.file.Path;
 *
 * float[][] x = {{5.1f, 3.5f}, {4.9f, 3.0f}, {6.7f, 3.1f}, {6.3f, 2.5f}};
 * String[] species = {"setosa", "setosa", "virginica", "virginica"};
 * MlpClassifier<String> model = MlpClassifier.builder().hidden(20).rate(0.01).build();
 * model.fit(x, species);
 * model.save(Path.of("iris.safetensors"));
 * System.out.println(model.predict(new float[] {5.0f, 3.4f})); // prints setosa
 * }</pre>
 *
 * <p>Below them {@link dev.backblas.Network} predicts, {@link dev.backblas.Trainer} trains it on a {@link dev.backblas.Dataset}
 * by an {@link dev.backblas.Optimizer}, so that a {@link dev.backblas.Loss} becomes small, and {@link dev.backblas.Preset} builds
 * the five systems of the equations.
 *
 * <pre>{@code
 * import dev.backblas.*;
 * import dev.backblas.backend.Activation;
 *
 * float[][] x = new float[200][1], y = new float[200][1];
 * for (int i = 0; i < 200; i++) y[i][0] = (float) Math.sin(x[i][0] = i / 30f);
 * Network network = Network.builder(1).layer(32, Activation.TANH).layer(1, Activation.IDENTITY).build();
 * try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.adam()).rate(0.01)
 *         .schedule(Schedule.cosine(300, 0.01)).build()) {
 *     trainer.fit(Dataset.of(x, y), 300);
 * }
 * System.out.printf("%.1f%n", network.predict(new float[] {(float) Math.PI / 2})[0]); // prints 1.0
 * }</pre>
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
