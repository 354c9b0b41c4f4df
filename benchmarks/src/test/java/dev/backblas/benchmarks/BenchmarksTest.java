package dev.backblas.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Param;

/** Every benchmark sets itself up, which compares it with the reference, and runs once. Nothing is timed. */
class BenchmarksTest {

    /** Without OpenBLAS its tests fail, unless the build was asked for pure Java. */
    private static final List<String> BACKENDS =
        System.getProperty("backblas.test.native", "true").equals("false") ? List.of("java") : List.of("openblas", "java");

    static Stream<Arguments> products() throws NoSuchFieldException {
        final String[] products = KernelBenchmark.class.getField("product").getAnnotation(Param.class).value();
        return BACKENDS.stream().flatMap(backend -> Stream.of(products).flatMap(product ->
            Stream.of(Activation.RELU, Activation.SIGMOID).map(phi -> Arguments.of(backend, product, phi))));
    }

    @ParameterizedTest
    @MethodSource("products")
    void kernels(String backend, String product, Activation phi) {
        final KernelBenchmark benchmark = new KernelBenchmark();
        benchmark.backend = backend;
        benchmark.product = product;
        benchmark.phi = phi;
        benchmark.setup();
        benchmark.affine();
        benchmark.inputGradient();
        benchmark.weightGradient();
    }

    static Stream<Arguments> steps() {
        return BACKENDS.stream().flatMap(backend -> Stream.of(Shape.values()).flatMap(shape ->
            Stream.of(1, 2).map(threads -> Arguments.of(backend, shape, threads))));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void step(String backend, Shape shape, int threads) {
        final StepBenchmark benchmark = new StepBenchmark();
        benchmark.backend = backend;
        benchmark.shape = shape;
        benchmark.threads = threads;
        final BackendBenchmark.Counter counter = new BackendBenchmark.Counter();
        benchmark.setup();
        benchmark.reset();
        final double loss = benchmark.step(counter);
        assertEquals(shape.batch(), counter.samples);
        assertTrue(benchmark.step(counter) < loss, "a second step on the same batch finds a smaller loss");
        benchmark.reset();
        assertEquals(loss, benchmark.step(counter), "reset leads back to the first weights");
        benchmark.close();
    }

    static Stream<Arguments> predictions() {
        return BACKENDS.stream().flatMap(backend -> Stream.of(Shape.values()).flatMap(shape ->
            Stream.of(1, 1024).map(batch -> Arguments.of(backend, shape, batch))));
    }

    @ParameterizedTest
    @MethodSource("predictions")
    void predict(String backend, Shape shape, int batch) {
        final PredictBenchmark benchmark = new PredictBenchmark();
        benchmark.backend = backend;
        benchmark.shape = shape;
        benchmark.batch = batch;
        benchmark.setup();
        final PredictBenchmark.Output output = new PredictBenchmark.Output();
        output.setup(benchmark);
        final BackendBenchmark.Counter counter = new BackendBenchmark.Counter();
        benchmark.predict(output, counter);
        assertEquals(batch, counter.samples);
    }

    @Test
    void referenceRefusesWrongKernels() {
        final int in = 30, out = 20, m = 10;
        final Random random = new Random(1);
        final float[] w = random(random, in * out), b = random(random, out), a = random(random, in * m),
            delta = random(random, out * m), next = new float[out * m], previous = new float[in * m], c = w.clone(),
            cBias = b.clone();
        final Backend java = Backend.pureJava();
        java.affine(in, out, m, w, b, a, Activation.SIGMOID, next);
        java.inputGradient(in, out, m, w, delta, Activation.SIGMOID, a, previous);
        java.weightGradient(in, out, m, 0.5f, a, delta, 1, c, cBias);
        next[150] += 1e-4f;
        previous[250] += 1e-4f;
        assertThrows(AssertionError.class, () -> Reference.checkAffine(in, out, m, w, b, a, Activation.SIGMOID, next));
        assertThrows(AssertionError.class,
                     () -> Reference.checkInputGradient(in, out, m, w, delta, Activation.SIGMOID, a, previous));
        Reference.checkWeightGradient(in, out, m, 0.5, a, delta, w, c, b, cBias);
        c[350] += 1e-4f;
        assertThrows(AssertionError.class, () -> Reference.checkWeightGradient(in, out, m, 0.5, a, delta, w, c, b, cBias));
        c[350] -= 1e-4f;
        cBias[15] = Float.NaN;
        assertThrows(AssertionError.class, () -> Reference.checkWeightGradient(in, out, m, 0.5, a, delta, w, c, b, cBias));
    }

    /** One sample of the batch is taken for another: the least that a step can do wrong. */
    @ParameterizedTest
    @EnumSource(names = "W5", mode = EnumSource.Mode.EXCLUDE) // it has but one
    void referenceRefusesWrongSteps(Shape shape) {
        final Network network = shape.network(Backend.pureJava());
        final Reference reference = new Reference(network);
        final int m = shape.batch();
        final float[] x = new float[network.inputs() * m], y = new float[network.outputs() * m];
        final Random random = new Random(1);
        for (int j = 0; j < m; j++) {
            shape.drawInput(random, x, j);
            shape.drawTarget(random, y, j);
        }
        try (Trainer trainer = Trainer.of(network, shape.loss()).rate(0.1).batch(m).build()) {
            trainer.step(x, y, m);
        }
        System.arraycopy(x, 0, x, (m - 1) * network.inputs(), network.inputs());
        System.arraycopy(y, 0, y, (m - 1) * network.outputs(), network.outputs());
        assertThrows(AssertionError.class,
                     () -> reference.checkStep(shape.loss(), 0.1, x, y, m, network::weights, network::biases));
    }

    @Test
    void referenceRefusesWrongPredictions() {
        final Network network = Shape.W1.network(Backend.pureJava());
        final float[] x = random(new Random(1), network.inputs()), out = new float[network.outputs()];
        network.predict(x, 1, out);
        final Reference reference = new Reference(network);
        network.biases(1).put(0, 0);
        network.predict(x, 1, out);
        assertThrows(AssertionError.class, () -> reference.checkPrediction(x, 1, out));
    }

    private static float[] random(Random random, int size) {
        final float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = 2 * random.nextFloat() - 1;
        return values;
    }
}
