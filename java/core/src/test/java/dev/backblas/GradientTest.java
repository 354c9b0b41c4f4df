package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.Loss.Reduction;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.Phi;
import dev.backblas.backend.TestBackends;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The gradients of the five systems, and of every other pair of loss and activation, on both backends: against central
 * differences of the loss, and against the formulas of the notes written out in double ({@link Notes}).
 */
class GradientTest {

    /** A loss, and a network it is defined on. */
    record Case(String name, Loss loss, Reduction reduction, double lambda, Network.Builder network, int m) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static final List<Loss> LOSSES = List.of(Loss.SQUARED_ERROR, Loss.ABSOLUTE_ERROR, Loss.huber(0.3), Loss.POISSON,
                                                     Loss.BINARY_CROSS_ENTROPY, Loss.CROSS_ENTROPY);

    private static Case preset(Preset preset, double lambda, int inputs, int m, int outputs, int... widths) {
        return new Case(preset.name(), preset.loss(), preset.reduction(), lambda,
                        preset.network(inputs, widths, preset.hidden(), outputs), m);
    }

    static Stream<Arguments> cases() {
        final Stream<Case> systems = Stream.of(
            preset(Preset.REGRESSION, 0, 13, 32, 1, 3),
            preset(Preset.SOFTMAX, 5, 17, 9, 10, 12),
            preset(Preset.BINARY, 0, 9, 11, 1, 6),
            preset(Preset.BINARY, 0, 9, 11, 1), // logistic regression
            preset(Preset.QUADRATIC, 0, 20, 10, 10, 30),
            preset(Preset.DEEP, 0, 8, 7, 3, 9, 10, 5, 6));
        final Stream<Case> pairs = Stream.of(Activation.values()).flatMap(hidden -> Stream.of(Activation.values())
            .filter(output -> hidden != Activation.SOFTMAX)
            .flatMap(output -> LOSSES.stream()
                .filter(loss -> loss.outputs().contains(output))
                .map(loss -> new Case(hidden + " " + output + " " + loss, loss, Reduction.MEAN, 0.5,
                                      Network.builder(7).layer(6, hidden).layer(4, output), 5))));
        return Stream.concat(systems, pairs)
            .flatMap(c -> TestBackends.all().stream().map(backend -> Arguments.of(c, backend)));
    }

    /** A batch, the network and its gradients as computed by {@link Backpropagation}. */
    private static final class Computed {
        final Network network;
        final float[] x, y;
        final float[][] dw, db;

        Computed(Case c, Backend backend) {
            network = c.network.seed(3).initialization(Initialization.GLOROT).backend(backend).build();
            final Random random = new Random(11);
            x = new float[network.inputs() * c.m];
            y = new float[network.outputs() * c.m];
            for (int i = 0; i < x.length; i++) x[i] = 2 * random.nextFloat() - 1;
            for (int l = 1; l <= network.depth(); l++)
                for (int k = 0; k < network.layer(l).out(); k++) network.biases(l).put(k, 0.2f * random.nextFloat() - 0.1f);
            for (int j = 0; j < c.m; j++)
                if (c.loss == Loss.CROSS_ENTROPY) y[j * network.outputs() + random.nextInt(network.outputs())] = 1;
                else for (int k = 0; k < network.outputs(); k++) y[j * network.outputs() + k] = random.nextFloat();
            dw = new float[network.depth() + 1][];
            db = new float[network.depth() + 1][];
            // In uneven parts, as three threads would: they must join without a seam
            final Backpropagation backpropagation = new Backpropagation(network, c.loss, c.m, 3);
            backpropagation.batch(x, y, null, c.m, true);
            backpropagation.propagate();
            final float[] gradient =
                backpropagation.gradient(c.reduction == Reduction.MEAN ? 1f / c.m : 1, (float) (c.lambda / c.m));
            for (int l = 1; l <= network.depth(); l++) {
                final int w = network.weightsOffset(l), b = network.biasesOffset(l);
                dw[l] = Arrays.copyOfRange(gradient, w, b);
                db[l] = Arrays.copyOfRange(gradient, b, b + network.layer(l).out());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void centralDifferences(Case c, Backend backend) {
        final Computed computed = new Computed(c, backend);
        final Notes notes = new Notes(c, computed.network, computed.x, computed.y);
        final double h = 1e-5;
        for (int l = 1; l <= computed.network.depth(); l++) {
            for (int i = 0; i < notes.w[l].length; i++)
                requireClose(notes.difference(notes.w[l], i, h), computed.dw[l][i], c + ": dw[" + l + "][" + i + "]");
            for (int k = 0; k < notes.b[l].length; k++)
                requireClose(notes.difference(notes.b[l], k, h), computed.db[l][k], c + ": db[" + l + "][" + k + "]");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void formulasOfTheNotes(Case c, Backend backend) {
        final Computed computed = new Computed(c, backend);
        final Notes notes = new Notes(c, computed.network, computed.x, computed.y);
        notes.backpropagate();
        for (int l = 1; l <= computed.network.depth(); l++) {
            for (int i = 0; i < notes.dw[l].length; i++)
                requireClose(notes.dw[l][i], computed.dw[l][i], c + ": dw[" + l + "][" + i + "]");
            for (int k = 0; k < notes.db[l].length; k++)
                requireClose(notes.db[l][k], computed.db[l][k], c + ": db[" + l + "][" + k + "]");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void updateTakesTheGradientTimesEta(Case c, Backend backend) {
        final Computed computed = new Computed(c, backend);
        final Network before = computed.network.copy();
        final float eta = 0.25f;
        try (Trainer trainer = Trainer.of(computed.network, c.loss).reduction(c.reduction).l2(c.lambda).rate(eta).batch(c.m)
                .build()) {
            final double loss = trainer.step(computed.x, computed.y, c.m);
            final Notes notes = new Notes(c, before, computed.x, computed.y);
            assertEquals(notes.meanCost(), loss, 1e-5 * Math.max(1, Math.abs(loss)), c + ": the loss");
        }
        for (int l = 1; l <= before.depth(); l++) {
            for (int i = 0; i < computed.dw[l].length; i++)
                requireClose(before.weights(l).get(i) - eta * computed.dw[l][i], computed.network.weights(l).get(i), c + ": w");
            for (int k = 0; k < computed.db[l].length; k++)
                requireClose(before.biases(l).get(k) - eta * computed.db[l][k], computed.network.biases(l).get(k), c + ": b");
        }
    }

    /** Single-precision products of at most 32 terms, through at most five layers. */
    private static void requireClose(double want, float got, String what) {
        assertTrue(Math.abs(got - want) <= 2e-5 + 2e-4 * Math.abs(want), () -> what + " is " + got + ", expected " + want);
    }

    /** The equations as the textbook writes them: one sample, one unit, one weight at a time, in double. */
    private static final class Notes {
        final Case c;
        final Network shape;
        final float[] x, y;
        final double[][] w, b, dw, db; // [l][i], as the network's

        Notes(Case c, Network network, float[] x, float[] y) {
            this.c = c;
            this.shape = network;
            this.x = x;
            this.y = y;
            final int n = network.depth() + 1;
            w = new double[n][];
            b = new double[n][];
            dw = new double[n][];
            db = new double[n][];
            for (int l = 1; l < n; l++) {
                w[l] = doubles(network.weights(l));
                b[l] = doubles(network.biases(l));
                dw[l] = new double[w[l].length];
                db[l] = new double[b[l].length];
            }
        }

        private static double[] doubles(FloatBuffer x) {
            final double[] d = new double[x.remaining()];
            for (int i = 0; i < d.length; i++) d[i] = x.get(i);
            return d;
        }

        static double[] phi(Activation activation, double[] z) {
            final double[] a = new double[z.length];
            double total = 0;
            for (double v : z) total += Math.exp(v);
            for (int k = 0; k < z.length; k++)
                a[k] = activation == Activation.SOFTMAX ? Math.exp(z[k]) / total : Phi.of(activation, z[k]);
            return a;
        }

        /** ∂a_k/∂z_j, from z. */
        static double derivative(Activation activation, double[] z, int k, int j) {
            final double[] a = phi(activation, z);
            if (activation == Activation.SOFTMAX) return a[k] * ((k == j ? 1 : 0) - a[j]);
            return k != j ? 0 : Phi.slope(activation, z[k]);
        }

        /** z[l] and a[l] of sample j. */
        private double[][][] forward(int j) {
            final int L = shape.depth();
            final double[][] z = new double[L + 1][], a = new double[L + 1][];
            a[0] = new double[shape.inputs()];
            for (int i = 0; i < a[0].length; i++) a[0][i] = x[j * a[0].length + i];
            for (int l = 1; l <= L; l++) {
                z[l] = new double[b[l].length];
                for (int k = 0; k < z[l].length; k++) {
                    z[l][k] = b[l][k];
                    for (int i = 0; i < a[l - 1].length; i++) z[l][k] += w[l][k * a[l - 1].length + i] * a[l - 1][i];
                }
                a[l] = phi(shape.layer(l).activation(), z[l]);
            }
            return new double[][][] {z, a};
        }

        private double cost(int j, double[] a) {
            double sum = 0;
            for (int k = 0; k < a.length; k++) {
                final double target = y[j * a.length + k], r = a[k] - target;
                if (c.loss == Loss.SQUARED_ERROR) sum += 0.5 * r * r;
                else if (c.loss == Loss.ABSOLUTE_ERROR) sum += Math.abs(r);
                else if (c.loss == Loss.POISSON) sum += a[k] - target * Math.log(a[k]);
                else if (c.loss == Loss.BINARY_CROSS_ENTROPY)
                    sum -= target * Math.log(a[k]) + (1 - target) * Math.log(1 - a[k]);
                else if (c.loss == Loss.CROSS_ENTROPY) sum -= target == 0 ? 0 : target * Math.log(a[k]);
                else sum += Math.abs(r) <= 0.3 ? 0.5 * r * r : 0.3 * (Math.abs(r) - 0.15);
            }
            return sum;
        }

        /** ∂C/∂a, for the pairs that are not canonical. */
        private double slope(double a, double target) {
            if (c.loss == Loss.SQUARED_ERROR) return a - target;
            if (c.loss == Loss.ABSOLUTE_ERROR) return Math.signum(a - target);
            if (c.loss == Loss.POISSON) return 1 - target / a;
            return Math.max(-0.3, Math.min(0.3, a - target)); // Huber
        }

        double meanCost() {
            double sum = 0;
            for (int j = 0; j < c.m; j++) sum += cost(j, forward(j)[1][shape.depth()]);
            return sum / c.m;
        }

        /** J, with the penalty (λ/2m) Σ W². */
        double objective() {
            double penalty = 0;
            for (int l = 1; l < w.length; l++) for (double v : w[l]) penalty += v * v;
            return meanCost() * (c.reduction == Reduction.SUM ? c.m : 1) + c.lambda / (2 * c.m) * penalty;
        }

        double difference(double[] parameters, int i, double h) {
            final double value = parameters[i];
            parameters[i] = value + h;
            final double above = objective();
            parameters[i] = value - h;
            final double below = objective();
            parameters[i] = value;
            return (above - below) / (2 * h);
        }

        void backpropagate() {
            final int L = shape.depth();
            for (int j = 0; j < c.m; j++) {
                final double[][][] pass = forward(j);
                final double[][] z = pass[0], a = pass[1], delta = new double[L + 1][];
                final int outputs = a[L].length;
                delta[L] = new double[outputs];
                for (int k = 0; k < outputs; k++) {
                    final double target = y[j * outputs + k];
                    if (c.loss == Loss.BINARY_CROSS_ENTROPY || c.loss == Loss.CROSS_ENTROPY)
                        delta[L][k] = a[L][k] - target; // Ŷ − Y, the canonical pairs
                    else
                        for (int i = 0; i < outputs; i++) // ∇_A C ⊙ φ'(Z)
                            delta[L][k] += slope(a[L][i], y[j * outputs + i])
                                * derivative(shape.layer(L).activation(), z[L], i, k);
                }
                for (int l = L - 1; l >= 1; l--) {
                    delta[l] = new double[a[l].length];
                    for (int i = 0; i < delta[l].length; i++) {
                        for (int k = 0; k < delta[l + 1].length; k++)
                            delta[l][i] += w[l + 1][k * delta[l].length + i] * delta[l + 1][k];
                        delta[l][i] *= derivative(shape.layer(l).activation(), z[l], i, i);
                    }
                }
                final double scale = c.reduction == Reduction.MEAN ? 1.0 / c.m : 1;
                for (int l = 1; l <= L; l++)
                    for (int k = 0; k < delta[l].length; k++) {
                        db[l][k] += scale * delta[l][k];
                        for (int i = 0; i < a[l - 1].length; i++)
                            dw[l][k * a[l - 1].length + i] += scale * a[l - 1][i] * delta[l][k];
                    }
            }
            for (int l = 1; l <= L; l++) for (int i = 0; i < w[l].length; i++) dw[l][i] += c.lambda / c.m * w[l][i];
        }
    }
}
