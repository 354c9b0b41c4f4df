package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A program does what its calls would do one by one. */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class ProgramTest {

    private final Backend backend;
    private final Random random = new Random(3);

    ProgramTest(Backend backend) {
        this.backend = backend;
    }

    private float[] random(int size) {
        return Probe.random(size, random);
    }

    /** A layer there and back, parameters in one array and the rest in another. */
    private final class Layer {
        final int in, out, m;
        final float[] theta, memory;

        Layer(int in, int out, int m) {
            this.in = in;
            this.out = out;
            this.m = m;
            theta = random(in * out + out);
            memory = random(2 * in * m + 2 * out * m); // A, A', delta, delta'
        }

        private int next() {
            return in * m;
        }

        private int delta() {
            return next() + out * m;
        }

        private int previous() {
            return delta() + out * m;
        }

        void write(Program program) {
            program.affine(in, out, m, theta, 0, theta, in * out, memory, 0, Activation.TANH, memory, next())
                .inputGradient(in, out, m, theta, 0, memory, delta(), Activation.TANH, memory, 0, memory, previous())
                .weightGradient(in, out, m, 0, out, -0.1f, memory, 0, memory, delta(), 0.9f, theta, 0, 1, theta, in * out);
        }

        /** The same with every operand in an array of its own. */
        void requireOneByOne(Backend backend, float[] thetaBefore, float[] memoryBefore, float rounding) {
            final float[] w = Arrays.copyOf(thetaBefore, in * out), b = Arrays.copyOfRange(thetaBefore, in * out, in * out + out);
            final float[] a = Arrays.copyOf(memoryBefore, in * m), next = new float[out * m], previous = new float[in * m];
            final float[] delta = Arrays.copyOfRange(memoryBefore, delta(), previous());
            backend.affine(in, out, m, w, b, a, Activation.TANH, next);
            backend.inputGradient(in, out, m, w, delta, Activation.TANH, a, previous);
            backend.weightGradient(in, out, m, 0, out, -0.1f, a, 0, delta, 0, 0.9f, w, 0, 1, b, 0);
            assertArrayEquals(next, Arrays.copyOfRange(memory, next(), delta()), rounding);
            assertArrayEquals(previous, Arrays.copyOfRange(memory, previous(), memory.length), rounding);
            assertArrayEquals(w, Arrays.copyOf(theta, in * out), rounding);
            assertArrayEquals(b, Arrays.copyOfRange(theta, in * out, theta.length), rounding);
            assertArrayEquals(a, Arrays.copyOf(memory, in * m));
            assertArrayEquals(delta, Arrays.copyOfRange(memory, delta(), previous()));
        }
    }

    @Test
    void aProgramDoesWhatItsCallsDo() {
        final Program program = backend.program();
        for (int[] shape : new int[][] {{3, 2, 1}, {13, 3, 32}, {20, 17, 5}, {300, 200, 100}}) {
            final Layer layer = new Layer(shape[0], shape[1], shape[2]);
            layer.write(program.clear());
            for (int times = 0; times < 3; times++) {
                final float[] theta = layer.theta.clone(), memory = layer.memory.clone();
                program.run();
                layer.requireOneByOne(backend, theta, memory, 1e-4f); // the calls of a small program may be done by loops
            }
        }
    }

    /** Calls that are longer than a crossing to native code may be: many samples, and wide layers. */
    @Test
    void longProgramsAreDoneToo() {
        for (int[] shape : new int[][] {{300, 400, 3000}, {4000, 3000, 40}}) { // 360 and 480 million multiplications a call
            final Layer layer = new Layer(shape[0], shape[1], shape[2]);
            final Program program = backend.program();
            layer.write(program);
            final float[] theta = layer.theta.clone(), memory = layer.memory.clone();
            program.run();
            layer.requireOneByOne(Backend.pureJava(), theta, memory, 1e-2f); // which has no such limit
        }
    }

    /** More calls than cross together. */
    @Test
    void manyCalls() {
        final int n = 150;
        final float[] chain = new float[400 * (n + 1)], w = new float[400], b = new float[20];
        for (int i = 0; i < 20; i++) w[i * 21] = 1; // the unit matrix
        Arrays.fill(b, 2);
        final Program program = backend.program();
        for (int i = 0; i < n; i++)
            program.affine(20, 20, 20, w, 0, b, 0, chain, 400 * i, Activation.IDENTITY, chain, 400 * (i + 1));
        program.run();
        for (int i = 0; i <= n; i++) assertEquals(2f * i, chain[400 * i + 7], "after " + i + " calls");
    }

    @Test
    void anEmptyProgramDoesNothing() {
        backend.program().run();
        final float[] a = random(400), next = new float[400];
        backend.program().affine(20, 20, 20, random(400), 0, null, 0, a, 0, Activation.RELU, next, 0).clear().run();
        assertArrayEquals(new float[400], next);
    }

    @Test
    void whatIsWrongIsSaidWhenItIsWritten() {
        final Program program = backend.program();
        final String wrong = assertThrows(IllegalArgumentException.class, () -> program.affine(
            784, 128, 1, new float[100], 0, null, 0, new float[784], 0, Activation.RELU, new float[128], 0)).getMessage();
        assertEquals("affine: W is 784x128 from offset 0, but its array has 100 elements; expected at least 100352", wrong);
        for (int i = 0; i < 2; i++)
            program.affine(1, 1, 1, new float[1], 0, null, 0, new float[1], 0, Activation.RELU, new float[1], 0);
        final String full = assertThrows(IllegalArgumentException.class, () -> program.affine(
            1, 1, 1, new float[1], 0, null, 0, new float[1], 0, Activation.RELU, new float[1], 0)).getMessage();
        assertTrue(full.startsWith("program: its calls refer to more than 8 arrays"), full);
    }
}
