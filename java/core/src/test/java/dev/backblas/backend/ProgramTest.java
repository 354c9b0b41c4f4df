package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
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

    /** Tiles of units are A', nothing beside is written; also where they take longer than a call may. */
    @Test
    void tilesMakeTheWhole() {
        for (int[] shape : new int[][] {{3, 2, 1}, {13, 3, 32}, {20, 17, 1}, {20, 17, 5}, {300, 200, 100}, {1500, 1000, 700}}) {
            final int in = shape[0], out = shape[1], m = shape[2];
            final float[] w = random(in * out), b = random(out), a = random(in * m), next = new float[out * m];
            backend.affine(in, out, m, w, 0, b, 0, a, 0, Activation.TANH, next, 0);
            requireTiles(next, out, (from, to, got) -> backend.program()
                .affine(in, out, m, from, to, w, 0, b, 0, a, 0, Activation.TANH, got, 1).run());
        }
        final float[] f = new float[100];
        requireMessage("affine: the tile is [2, 8); expected 0 <= from <= to <= out, and out is 7",
            () -> backend.program().affine(5, 7, 1, 2, 8, f, 0, null, 0, f, 50, Activation.RELU, f, 70));
        requireMessage("affine: the tile is [0, 6), but softmax is of all 7 units; expected all",
            () -> backend.program().affine(5, 7, 1, 0, 6, f, 0, null, 0, f, 50, Activation.SOFTMAX, f, 70));
    }

    /** What parts of a layer's units send back adds up to what the layer does; of all rows and of some. */
    @Test
    void sumOfParts() {
        for (int[] shape : new int[][] {{1, 2, 1}, {13, 3, 32}, {20, 17, 5}, {300, 200, 100}, {2000, 60, 1000}}) {
            final int in = shape[0], out = shape[1], m = shape[2], step = in * m + 3, third = in / 3;
            final float[] w = random(in * out), a = random(in * m), delta = random(out * m), sent = new float[3 * step + 1];
            for (int t = 0; t < 3; t++) {
                final int first = out * t / 3, units = out * (t + 1) / 3 - first;
                if (units == 0) continue; // sends nothing but zeros
                final float[] own = new float[units * m];
                for (int j = 0; j < m; j++) System.arraycopy(delta, j * out + first, own, j * units, units);
                backend.inputGradient(in, units, m, w, first * in, own, 0, Activation.IDENTITY, null, 0, sent, 1 + t * step);
            }
            for (Activation phi : List.of(Activation.IDENTITY, Activation.SIGMOID, Activation.GELU)) {
                final float[] want = new float[in * m], got = random(in * m + 2), before = got.clone();
                backend.inputGradient(in, out, m, w, 0, delta, 0, phi, a, 0, want, 0);
                final Program program = backend.program();
                program.sum(in, m, 3, step, 0, third, sent, 1, phi, a, 0, got, 1);
                program.sum(in, m, 3, step, third, in, sent, 1, phi, a, 0, got, 1 + third * m).run();
                for (int j = 0; j < m; j++)
                    for (int i = 0; i < in; i++) {
                        final int at = i < third ? j * third + i : third * m + j * (in - third) + i - third;
                        assertEquals(want[j * in + i], got[1 + at], 2e-3f, phi + " " + i);
                    }
                assertEquals(before[0], got[0]);
                assertEquals(before[in * m + 1], got[in * m + 1]);
                backend.program().sum(in, m, 1, 0, 0, in, sent, 1, phi, a, 0, got, 1).run();
                final float[] first = Arrays.copyOfRange(sent, 1, 1 + in * m);
                phi.backward(a, 0, first, 0, in, m);
                assertArrayEquals(first, Arrays.copyOfRange(got, 1, 1 + in * m), 1e-4f, "one term");
            }
        }
        final float[] f = new float[100];
        requireMessage("sum: the tile is [2, 8); expected 0 <= from <= to <= n, and n is 7",
            () -> backend.program().sum(7, 2, 2, 14, 2, 8, f, 0, Activation.RELU, f, 30, f, 50));
        requireMessage("sum: each X begins 13 behind the one before, but is 7x2; expected no overlap",
            () -> backend.program().sum(7, 2, 2, 13, 0, 7, f, 0, Activation.RELU, f, 30, f, 50));
        requireMessage("sum: the last of 7 X ends at 101, but their array has 100 elements; expected at least as many",
            () -> backend.program().sum(7, 2, 7, 14, 0, 7, f, 3, Activation.RELU, f, 30, f, 50));
        requireMessage("sum: the output delta overlaps X in the same array; expected memory of its own",
            () -> backend.program().sum(7, 2, 2, 14, 0, 7, f, 0, Activation.RELU, f, 50, f, 27));
        requireMessage("sum: softmax is for the output layer; it cannot have made A",
            () -> backend.program().sum(7, 2, 2, 14, 0, 7, f, 0, Activation.SOFTMAX, f, 30, f, 50));
    }

    private interface Tile {
        void write(int from, int to, float[] got);
    }

    /** A third and the rest make the rows wanted, from 1 on, and each leaves alone what is not its own. */
    private void requireTiles(float[] want, int rows, Tile tile) {
        final float[] got = random(want.length + 2), before = got.clone();
        final int split = rows / 3;
        tile.write(0, split, got);
        for (int i = 0; i < got.length; i++)
            if (i == 0 || i > want.length || (i - 1) % rows >= split) assertEquals(before[i], got[i], "beside the tile, " + i);
        tile.write(split, split, got); // is empty
        tile.write(split, rows, got);
        assertArrayEquals(want, Arrays.copyOfRange(got, 1, got.length - 1), 2e-3f);
        assertEquals(before[0], got[0]);
        assertEquals(before[got.length - 1], got[got.length - 1]);
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

    /** As of a thread for which a layer has no units. */
    @Test
    void noUnitsChangeNothing() {
        final float[] c = random(300 * 200), before = c.clone(), bias = random(200), biasBefore = bias.clone();
        backend.program().weightGradient(300, 200, 100, 7, 7, 1, random(300 * 100), 0, random(200 * 100), 0, 0, c, 0, 0, bias, 0)
            .run();
        assertArrayEquals(before, c);
        assertArrayEquals(biasBefore, bias);
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

    /** Three repetitions, of batches that follow each other, are three runs. */
    @Test
    void repetitionsReadOn() {
        final int in = 13, out = 3, m = 4, times = 3;
        final float[] w = random(in * out), x = random(in * m * (times + 1)), y = random(out * m * (times + 1));
        final float[] a = new float[out * m], delta = new float[out * m], wantW = w.clone();
        final Program program = backend.program();
        double want = 2;
        for (int r = 1; r <= times; r++) {
            program.clear();
            write(program, in, out, m, wantW, x, in * m * r, y, out * m * r, a, delta);
            want = program.run(1, want);
        }
        final float[] wantDelta = delta.clone();
        write(program.clear(), in, out, m, w, x, 0, y, 0, a, delta);
        program.shift(x, in * m, in * m).shift(y, out * m, out * m).shift(new float[1], 7, 7); // which it does not refer to
        assertEquals(want, program.run(times, 2));
        assertEquals(times, program.done());
        assertArrayEquals(wantW, w);
        assertArrayEquals(wantDelta, delta);
    }

    /** A step of descent on half of Σ (Wᵀx − y)². */
    private static void write(Program program, int in, int out, int m, float[] w, float[] x, int xOffset, float[] y, int yOffset,
                              float[] a, float[] delta) {
        program.finite(in * m, x, xOffset)
            .affine(in, out, m, w, 0, null, 0, x, xOffset, Activation.IDENTITY, a, 0)
            .cost(Cost.SQUARED_ERROR, out, m, a, 0, y, yOffset, null, 0, delta, 0)
            .weightGradient(in, out, m, 0, out, -0.01f, x, xOffset, delta, 0, 1, w, 0, 0, null, 0);
    }

    /** A repetition in which something is not finite ends early, and is the last. */
    @Test
    void theFirstThatIsNotFiniteIsTheLast() {
        final int in = 5, out = 2, m = 3, times = 400;
        for (int bad : new int[] {0, 1, 57, times - 1}) {
            final float[] w = new float[in * out], x = random(in * m * times), y = random(out * m * times);
            final float[] a = new float[out * m], delta = new float[out * m];
            final Program program = backend.program();
            write(program, in, out, m, w, x, 0, y, 0, a, delta);
            program.shift(x, 0, in * m).shift(y, 0, out * m);
            double cost = 0;
            if (bad > 0) cost = program.run(bad);
            final float[] want = w.clone();
            Arrays.fill(w, 0);
            x[in * m * bad + 7] = Float.POSITIVE_INFINITY;
            assertTrue(Double.isFinite(cost) && Double.isNaN(program.run(times)));
            assertEquals(bad, program.done());
            assertArrayEquals(want, w);
        }
    }

    /** More repetitions, and longer ones, than cross together. */
    @Test
    void manyRepetitions() {
        final int n = 300, times = 30; // 36 million multiplications each
        final float[] w = new float[n * n], x = random(n * 400 * 2), sums = new float[n * n];
        final Program program = backend.program();
        program.weightGradient(n, n, 400, 0, n, 1, x, 0, x, n, 1, sums, 0, 0, null, 0).run(times);
        backend.weightGradient(n, n, 400, 0, n, 1, x, 0, x, n, 0, w, 0, 0, null, 0);
        for (int i = 0; i < w.length; i++) assertEquals(times * w[i], sums[i], 0.05, "element " + i);
        assertEquals(times, program.done());
    }

    /** However often a tiny program is repeated, no count overflows. */
    @Test
    void asOftenAsAnIntCanSay() {
        final float[] x = {1};
        final Program program = backend.program().finite(1, x, 0);
        assertThrows(IllegalArgumentException.class, () -> program.run(0));
        assertEquals(0, program.done());
        program.run(100_000_000);
        assertEquals(100_000_000, program.done());
        for (int i = 0; i < 70; i++) program.finite(1, x, 0);
        assertEquals(Double.POSITIVE_INFINITY, program.run(3, Double.POSITIVE_INFINITY));
        assertEquals(0, program.done());
    }

    @Test
    void columnsAreGathered() {
        for (int n : new int[] {1, 3, 13, 16, 17, 784}) {
            final int m = 5, times = 4, size = 50, first = 2;
            final float[] source = random(n * size), x = new float[n * m + 2], p = new float[n * m + 2];
            final byte[] pixels = new byte[n * size];
            random.nextBytes(pixels);
            final int[] columns = new int[first + m * times + 1];
            for (int i = 0; i < columns.length; i++) columns[i] = random.nextInt(size);
            final Program program = backend.program().gather(n, m, source, columns, 0, x, 1)
                .gather(n, m, pixels, 0.5f, columns, 0, p, 1);
            for (int run = 1; run <= times; run++) {
                x[0] = p[0] = x[n * m + 1] = p[n * m + 1] = 99;
                program.shift(columns, first, m).run(run);
                for (int j = 0; j < m; j++)
                    for (int i = 0; i < n; i++) {
                        final int at = n * columns[first + (run - 1) * m + j] + i;
                        assertEquals(source[at], x[1 + j * n + i]);
                        assertEquals((pixels[at] & 0xff) * 0.5f, p[1 + j * n + i]);
                    }
                assertTrue(x[0] == 99 && p[0] == 99 && x[n * m + 1] == 99 && p[n * m + 1] == 99);
            }
        }
    }

    /** A single column is read as it is: whole, in part, or with what lies beside it, before a call writes to it and after. */
    @Test
    void aSingleColumnIsReadAsItIs() {
        for (int n : new int[] {2, 13, 16, 30}) {
            final int size = 7, out = 3;
            final float[] source = random(n * size), w = random(2 * n * out), half = random(n);
            final float[] x = random(2 * n), z = new float[6 * out];
            final int[] columns = {4, 6, 2};
            final Program program = backend.program();
            for (String use : List.of("whole", "before", "in part", "written", "gathered over")) {
                program.clear();
                if (use.equals("before")) program.affine(n, out, 1, w, 0, null, 0, x, 0, Activation.IDENTITY, z, 5 * out);
                program.gather(n, 1, source, columns, 0, x, 0)
                    .affine(n, out, 1, w, 0, null, 0, x, 0, Activation.IDENTITY, z, 0);
                if (use.equals("written")) program.activate(n, Activation.RELU, half, 0, x, n / 2); // its second half
                if (use.equals("gathered over")) program.gather(n, 1, source, columns, 0, x, 1);
                program.affine(n, out, 1, w, 0, null, 0, x, 0, Activation.IDENTITY, z, out);
                final boolean parts = !use.equals("whole") && !use.equals("before");
                if (parts)
                    program.affine(2 * n, out, 1, w, 0, null, 0, x, 0, Activation.IDENTITY, z, 2 * out)
                        .affine(n - 1, out, 1, w, 0, null, 0, x, 1, Activation.IDENTITY, z, 3 * out)
                        .affine(1, out, 1, w, 0, null, 0, x, n - 1, Activation.IDENTITY, z, 4 * out);
                program.shift(columns, 0, 1).run(columns.length);
                final int at = columns[columns.length - 1] * n;
                final float[] gathered = Arrays.copyOf(Arrays.copyOfRange(source, at, at + n), 2 * n), now = gathered.clone();
                System.arraycopy(x, n, gathered, n, n);
                System.arraycopy(x, n, now, n, n);
                for (int i = 0; i < n && use.equals("written"); i++) now[n / 2 + i] = Math.max(half[i], 0);
                if (use.equals("gathered over")) System.arraycopy(source, at, now, 1, n);
                assertArrayEquals(now, x, use);
                requireDots(n, out, w, gathered, 0, z, 0);
                requireDots(n, out, w, now, 0, z, out);
                if (use.equals("before")) requireDots(n, out, w, source, columns[columns.length - 2] * n, z, 5 * out);
                if (!parts) continue;
                requireDots(2 * n, out, w, now, 0, z, 2 * out);
                requireDots(n - 1, out, w, now, 1, z, 3 * out);
                requireDots(1, out, w, now, n - 1, z, 4 * out);
            }
        }
    }

    /** In whatever order gathers and other calls use each other's arrays, they do so in the order in which they are written. */
    @Test
    void gathersKeepTheirOrder() {
        final int n = 13, size = 6;
        final int[] columns = {4, 2, 5, 0, 1, 3, 2, 0};
        requireOrder(size, n, columns, (p, a) -> p.affine(n, n, 1, a[0], 0, null, 0, a[1], 0, Activation.IDENTITY, a[2], 0)
            .gather(n, 1, a[3], columns, 0, a[4], 0).gather(n, 1, a[2], columns, 0, a[5], 0));
        requireOrder(size, n, columns, (p, a) -> p.affine(n, n, 1, a[0], 0, null, 0, a[5], 0, Activation.IDENTITY, a[2], 0)
            .gather(n, 1, a[3], columns, 0, a[4], 0).gather(n, 1, a[1], columns, 0, a[5], 0));
        requireOrder(size, n, columns, (p, a) -> p.gather(n, 1, a[1], columns, 0, a[2], 0)
            .affine(n, n, 1, a[0], 0, null, 0, a[2], 0, Activation.TANH, a[1], 5 * n)
            .weightGradient(n, 1, 1, 0, 1, 1, a[2], 0, a[3], 0, 1, a[4], 0, 0, null, 0));
        requireOrder(size, n, columns, (p, a) -> p.gather(n, size, a[1], columns, 0, a[2], 0)
            .gather(n, 1, a[2], columns, 0, a[3], 0).affine(n, n, 1, a[0], 0, null, 0, a[3], 0, Activation.TANH, a[4], 0));
        requireOrder(size, n, columns, (p, a) -> p.gather(n, 1, a[1], columns, 0, a[2], 0)
            .gather(n, 1, a[3], columns, 0, a[1], 0).affine(n, n, 1, a[0], 0, null, 0, a[2], 0, Activation.TANH, a[4], 0));
    }

    /** The same of batches so wide that a product gathers them itself. */
    @Test
    void wideGathersKeepTheirOrder() {
        final int n = 784, m = 96, out = 96, other = 1;
        final int[] columns = new int[3 * m];
        for (int i = 0; i < columns.length; i++) columns[i] = (5 * i + i / m) % m;
        requireOrder(m, n, columns, (p, a) -> p.gather(n, m, a[1], columns, 0, a[2], 0) // XᵀX
            .affine(n, out, m, a[2], 0, null, 0, a[2], 0, Activation.IDENTITY, a[3], 0).shift(columns, 0, m));
        requireOrder(m, n, columns, (p, a) -> p.affine(n, out, m, a[0], 0, null, 0, a[2], 0, Activation.IDENTITY, a[3], 0)
            .gather(other, m, a[4], columns, 0, a[5], 0).gather(n, m, a[1], columns, 0, a[2], 0).shift(columns, 0, m));
        requireOrder(m, n, columns, (p, a) -> p.gather(n, m, a[1], columns, 0, a[2], 0)
            .gather(other, m, a[4], columns, 0, a[1], 0)
            .affine(n, out, m, a[0], 0, null, 0, a[2], 0, Activation.IDENTITY, a[3], 0).shift(columns, 0, m));
    }

    private interface Writer {
        void write(Program program, float[][] arrays);
    }

    /** What three repetitions leave in six arrays is what pure Java leaves, which does one call after the other. */
    private void requireOrder(int size, int n, int[] columns, Writer writer) {
        final float[][] got = new float[6][], want = new float[6][];
        final int length = Math.max(size, Math.min(n, 16)); // W of the narrow ones is square
        for (int i = 0; i < 6; i++) {
            got[i] = random(n * length);
            want[i] = got[i].clone();
        }
        for (float[][] arrays : List.of(got, want)) {
            final Program program = (arrays == got ? backend : Backend.pureJava()).program();
            writer.write(program, arrays);
            if (n < 100) program.shift(columns, 0, 1);
            program.run(3);
        }
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < got[i].length; j++)
                assertEquals(want[i][j], got[i][j], 1e-3 * Math.max(1, Math.abs(want[i][j])), i + ", " + j);
    }

    /** z = Wᵀx */
    private static void requireDots(int in, int out, float[] w, float[] x, int at, float[] z, int first) {
        for (int k = 0; k < out; k++) {
            double sum = 0;
            for (int i = 0; i < in; i++) sum += (double) w[k * in + i] * x[at + i];
            assertEquals(sum, z[first + k], in * 1e-6);
        }
    }

    @Test
    void nothingIsReadBeyondItsEnd() {
        final float[] source = new float[12], x = new float[6], other = new float[6];
        final byte[] bytes = new byte[12];
        final int[] columns = {0, 1, 2, 3, 4, 5};
        final Program program = backend.program().gather(3, 2, source, columns, 0, x, 0);
        requireMessage("gather: there is no column 4; expected 0 to 3", () -> program.shift(columns, 3, 0).run());
        requireMessage("gather: there is no column 4; expected 0 to 3", () -> program.shift(columns, 1, 1).run(3));
        requireMessage("run: an array of 6 elements is shifted by 0, and 2 more each time; 4 times would need 8",
            () -> program.shift(columns, 0, 2).run(4));
        program.shift(columns, 0, 2).run(2);
        columns[3] = -1;
        requireMessage("gather: there is no column -1; expected 0 to 3", () -> program.run(2));
        requireMessage("run: an array of 12 elements is shifted by 1, and 0 more each time; 1 times would need 13",
            () -> program.shift(columns, 0, 0).shift(source, 1, 0).run());
        requireMessage("shift: by is -1, step is 0; expected 0 or more", () -> program.shift(source, -1, 0));
        requireMessage("shift: a call writes the array, and step is 1; expected 0, or an array that is only read",
            () -> program.shift(x, 0, 1));
        requireMessage("run: an array of 6 elements is shifted by 1, and 0 more each time; 1 times would need 7",
            () -> program.shift(columns, 0, 0).shift(source, 0, 0).shift(x, 1, 0).run());
        program.shift(x, 0, 0);
        requireMessage("run: times is 0; expected 1 or more", () -> program.run(0));
        requireMessage("shift: a call writes the array, and step is 1; expected 0, or an array that is only read",
            () -> backend.program().activate(3, Activation.RELU, other, 0, x, 0).shift(other, 0, 1)
                .activate(3, Activation.RELU, source, 0, other, 0).run());
        requireMessage("gather: the columns are [5, 7); expected 0 <= from <= to <= 6, the numbers there are",
            () -> program.gather(3, 2, source, columns, 5, x, 0));
        requireMessage("gather: the array of S is null", () -> program.gather(3, 2, (float[]) null, columns, 0, x, 0));
        requireMessage("gather: the array of columns is null", () -> program.gather(3, 2, bytes, 1, null, 0, x, 0));
        requireMessage("gather: S and X are one array; expected two", () -> program.gather(3, 2, x, columns, 0, x, 0));
        requireMessage("program: its calls refer to more than one array of columns; write two",
            () -> program.gather(3, 2, source, columns.clone(), 0, other, 0));
        requireMessage("program: its calls refer to more than one array of bytes; write two",
            () -> program.gather(3, 2, bytes, 1, columns, 0, other, 0).gather(3, 2, bytes.clone(), 1, columns, 0, other, 0));
        program.run(); // is empty again
    }

    /** What a call writes is written further on, and there read by the next. */
    @Test
    void whatIsWrittenMayLieElsewhere() {
        final int n = 784, m = 20, out = 130, by = 3;
        final float[] w = random(n * out), source = random(n * m), x = new float[n * m + by], want = new float[out * m];
        final float[] got = new float[out * m];
        final int[] columns = new int[2 * m];
        for (int j = 0; j < 2 * m; j++) columns[j] = j * 7 % m;
        backend.gather(n, source, columns, 0, m, x, 0);
        backend.affine(n, out, m, w, 0, null, 0, x, 0, Activation.RELU, want, 0);
        final float[] before = Arrays.copyOf(x, by);
        final Program program = backend.program().gather(n, m, source, columns, 0, x, 0)
            .affine(n, out, m, w, 0, null, 0, x, 0, Activation.RELU, got, 0);
        Arrays.fill(x, by, x.length, Float.NaN);
        program.shift(x, by, 0).run();
        assertArrayEquals(want, got, 1e-3f);
        assertArrayEquals(before, Arrays.copyOf(x, by));
        for (int j = 0; j < m; j++)
            for (int i = 0; i < n; i++) assertEquals(source[columns[j] * n + i], x[by + j * n + i]);
    }

    private static void requireMessage(String want, Executable call) {
        assertEquals(want, assertThrows(IllegalArgumentException.class, call).getMessage());
    }
}
