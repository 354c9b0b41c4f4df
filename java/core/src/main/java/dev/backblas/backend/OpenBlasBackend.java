package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** The kernels in C++ around OpenBLAS: whatever is asked for crosses as a {@link Program}. */
final class OpenBlasBackend extends CheckedBackend {

    /** The most calls of one crossing; native code holds their numbers on its stack. */
    static final int CALLS = 64;

    /** The least that a call takes, 5 to 10 ns, in multiplications. */
    private static final long CALL_WORK = 2048;

    private final NativeLibrary library;

    /** A single call, too, is a program; each thread rewrites its own. */
    private final Program.PerThread single = new Program.PerThread(this);

    private final long longestCrossing;

    OpenBlasBackend(NativeLibrary library) {
        this.library = library;
        longestCrossing = longestCrossing(library.instructionSet());
    }

    /**
     * So many multiplications take 2 to 5 ms: at 110 to 230 GFLOP/s, at 55 to 130, and at 15 to 30. Before JDK 22, G1 cannot
     * collect while an array is pinned (bench pauses).
     */
    private static long longestCrossing(String instructionSet) {
        return switch (instructionSet) {
            case "avx512" -> 1L << 28;
            case "avx512 by halves", "avx2" -> 1L << 27;
            default -> 1L << 25;
        };
    }

    @Override
    public String name() {
        return "openblas";
    }

    @Override
    public String description() {
        return library.description();
    }

    @Override
    public boolean allowsConcurrentTiles() {
        return library.pinsWithoutCopy();
    }

    @Override
    int computeFirstCacheLine(float[] array) {
        return library.pinsWithoutCopy() ? OpenBlas.firstCacheLine(array) : 0;
    }

    @Override
    long longestCall() {
        return longestCrossing;
    }

    @Override
    double run(Program program, int times, double cost) {
        final int end = program.length();
        if (end == 0) return cost;
        if (program.work() > longestCrossing || end > CALLS * Program.STRIDE) return runInPieces(program, times, cost);
        final long work = program.work() + CALL_WORK * (end / Program.STRIDE);
        final int most = (int) Math.max(1, Math.min(times, longestCrossing / work));
        for (int first = 0, count; first < times; first += count) {
            count = Math.min(most, times - first);
            cost = cross(program, 0, end, first, count, cost);
            if (!Double.isFinite(cost)) {
                program.ended(first + program.done());
                break;
            }
        }
        return cost;
    }

    /** The same of a program that is too long to cross as a whole. */
    private double runInPieces(Program program, int times, double cost) {
        final int end = program.length();
        for (int r = 0; r < times; r++) {
            double sum = 0;
            int from = 0;
            long work = 0; // of the calls from there on
            for (int call = 0; call < end && Double.isFinite(sum); call += Program.STRIDE) {
                final long more = program.work(call);
                if (call > from && (work + more > longestCrossing || call - from == CALLS * Program.STRIDE)) {
                    sum = cross(program, from, call, r, 1, sum);
                    from = call;
                    work = 0;
                }
                work += more;
            }
            if (Double.isFinite(sum)) sum = cross(program, from, end, r, 1, sum);
            cost += sum;
            if (!Double.isFinite(cost)) {
                program.ended(r);
                break;
            }
        }
        return cost;
    }

    static double cross(Program program, int from, int to, int first, int times, double cost) {
        return OpenBlas.run(program.code(), from, to, first, times, cost, program.shifts(), program.written(), program.array(0),
                            program.array(1), program.array(2), program.array(3), program.array(4), program.array(5),
                            program.array(6), program.array(7), program.bytes(), program.columns());
    }

    /** Fewer values than this are gathered, or looked through, before native code is entered. */
    private static final int SMALLEST_BATCH = 2048;

    /** So many values are squared and added within a few milliseconds. */
    private static final int LONGEST_SUM = 1 << 23;

    /** Where pinning copies, it would copy the whole training set. */
    private boolean gathersInJava(int n, int count) {
        return (long) n * count < SMALLEST_BATCH || !library.pinsWithoutCopy();
    }

    @Override
    void computeGather(int n, float[] source, int[] columns, int from, int to, float[] x, int xOffset) {
        if (gathersInJava(n, to - from)) {
            super.computeGather(n, source, columns, from, to, x, xOffset);
            return;
        }
        final Program program = single.get();
        program.addGather(n, to - from, source, source.length, 0, columns, from, x, xOffset);
        runAndClear(program);
    }

    @Override
    void computeGather(int n, byte[] source, float scale, int[] columns, int from, int to, float[] x, int xOffset) {
        if (gathersInJava(n, to - from)) {
            super.computeGather(n, source, scale, columns, from, to, x, xOffset);
            return;
        }
        final Program program = single.get();
        program.addGather(n, to - from, source, scale, columns, from, x, xOffset);
        runAndClear(program);
    }

    @Override
    boolean computeAllFinite(int n, float[] x, int xOffset) {
        return n < SMALLEST_BATCH ? super.computeAllFinite(n, x, xOffset) : OpenBlas.allFinite(n, x, xOffset);
    }

    @Override
    double computeSumOfSquares(int n, float[] x, int xOffset) {
        if (n < SMALLEST_BATCH) return super.computeSumOfSquares(n, x, xOffset);
        double sum = 0;
        for (int i = 0; i < n; ) {
            final int count = Math.min(LONGEST_SUM, n - i);
            sum += OpenBlas.sumOfSquares(count, x, xOffset + i);
            i += count;
        }
        return sum;
    }

    @Override
    void computeUpdate(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                       float @Nullable [] v, float[] numbers, int numbersOffset) {
        if (to - from <= Loops.TINY) {
            super.computeUpdate(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
            return;
        }
        final Program program = single.get();
        program.addUpdate(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
        runAndClear(program);
    }

    @Override
    void computeAffine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                       float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        final Program program = single.get();
        program.addAffine(in, out, m, from, to, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        runAndClear(program);
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        final Program program = single.get();
        program.addInputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        runAndClear(program);
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        final Program program = single.get();
        program.addWeightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                  cBiasOffset);
        runAndClear(program);
    }

    /** It must not keep the caller's arrays from being collected, even after an error. */
    private void runAndClear(Program program) {
        try {
            run(program, 1, 0);
        } finally {
            program.clear();
        }
    }
}
