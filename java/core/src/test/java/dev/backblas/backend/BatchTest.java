package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What is done with a batch before it is trained on, on every backend. */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class BatchTest {

    private static final int OFFSET = 3, GUARD = 20;
    private static final float CANARY = -12345.678f;
    private static final int SIZE = 300; // columns

    private final Backend backend;
    private final Random random = new Random(9);

    BatchTest(Backend backend) {
        this.backend = backend;
    }

    private interface Gather {
        void into(float[] x, int[] columns, int from, int to);
    }

    private interface Value {
        float at(int row, int column);
    }

    private void gathers(int n, Value value, Gather gather) {
        for (int m : new int[] {0, 1, 5, 63, 200}) {
            final int[] columns = random.ints(m + 20, 0, SIZE).toArray();
            final float[] x = new float[OFFSET + n * m + GUARD];
            Arrays.fill(x, CANARY);
            Arrays.fill(x, OFFSET, OFFSET + n * m, Float.NaN);
            gather.into(x, columns, 7, 7 + m);
            for (int j = 0; j < m; j++)
                for (int i = 0; i < n; i++) assertEquals(value.at(i, columns[7 + j]), x[OFFSET + j * n + i]);
            for (int i = 0; i < x.length; i++)
                if (i < OFFSET || i >= OFFSET + n * m) assertEquals(CANARY, x[i], "wrote outside its output");
        }
    }

    @Test
    void columnsAreGatheredInTheirOrder() {
        for (int n : new int[] {1, 2, 13, 64, 100, 784}) {
            final float[] source = new float[n * SIZE];
            for (int i = 0; i < source.length; i++) source[i] = random.nextFloat();
            gathers(n, (i, j) -> source[j * n + i], (x, columns, from, to) ->
                backend.gather(n, source, columns, from, to, x, OFFSET));
            final byte[] bytes = new byte[n * SIZE];
            random.nextBytes(bytes);
            gathers(n, (i, j) -> (bytes[j * n + i] & 0xff) * (1 / 255f), (x, columns, from, to) ->
                backend.gather(n, bytes, 1 / 255f, columns, from, to, x, OFFSET));
        }
    }

    /** More than one crossing to native code may take. */
    @Test
    void longBatchesAreGatheredToo() {
        final int n = 100_000, m = 100;
        final byte[] bytes = new byte[n * 4];
        random.nextBytes(bytes);
        final int[] columns = random.ints(m, 0, 4).toArray();
        final float[] x = new float[n * m];
        backend.gather(n, bytes, 1, columns, 0, m, x, 0);
        for (int i = 0; i < x.length; i += 997) assertEquals(bytes[columns[i / n] * n + i % n] & 0xff, x[i]);
    }

    @Test
    void everyValueIsLookedAt() {
        for (int n : new int[] {0, 1, 7, 8, 9, 100, 5000}) {
            final float[] x = new float[OFFSET + n + GUARD];
            Arrays.fill(x, Float.NaN); // around the values nobody looks
            for (int i = 0; i < n; i++) x[OFFSET + i] = i % 3 == 0 ? Float.MAX_VALUE : i % 3 == 1 ? -Float.MIN_VALUE : 0;
            assertTrue(backend.allFinite(n, x, OFFSET), n + " values");
            for (int i = 0; i < n; i += Math.max(1, n / 50))
                for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                    final float good = x[OFFSET + i];
                    x[OFFSET + i] = bad;
                    assertFalse(backend.allFinite(n, x, OFFSET), bad + " at " + i + " of " + n);
                    x[OFFSET + i] = good;
                }
        }
    }

    @Test
    void cacheLinesBeginOnAFewElements() {
        for (int n = 0; n < 40; n++) {
            final int first = backend.firstCacheLine(new float[n]);
            assertTrue(first >= 0 && first < 16 && (first == 0 || backend.name().equals("openblas")), "element " + first);
        }
        rejected("firstCacheLine: the array is null; expected one", () -> backend.firstCacheLine(null));
    }

    @Test
    void everyArgumentIsChecked() {
        final float[] source = new float[50], x = new float[20];
        final int[] columns = {0, 9, 10, -1};
        rejected("gather: n is 0; expected 1 or more", () -> backend.gather(0, source, columns, 0, 1, x, 0));
        rejected("gather: the columns are [0, 5); expected 0 <= from <= to <= 4, the numbers there are",
                 () -> backend.gather(5, source, columns, 0, 5, x, 0));
        rejected("gather: X is 5x2 from offset 11, but its array has 20 elements; expected at least 21",
                 () -> backend.gather(5, source, columns, 0, 2, x, 11));
        rejected("gather: there is no column 10; expected 0 to 9", () -> backend.gather(5, source, columns, 1, 3, x, 0));
        rejected("gather: there is no column -1; expected 0 to 9",
                 () -> backend.gather(5, new byte[54], 1, columns, 3, 4, x, 0));
        rejected("gather: S and X are one array; expected two", () -> backend.gather(5, x, columns, 0, 1, x, 10));
        rejected("allFinite: n is -1; expected 0 or more", () -> backend.allFinite(-1, x, 0));
        rejected("allFinite: x is 21x1 from offset 0, but its array has 20 elements; expected at least 21",
                 () -> backend.allFinite(21, x, 0));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
