package dev.backblas;

import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings what an epoch of small steps needs next, while steps are taken on what is there: the samples of the next steps, side by
 * side, and bit by bit the order of the next epoch. A second thread does it, or the one that trains, where the second has no
 * processor. On 13-3-1 samples come half as dear as steps on them, so that an epoch is one and a half times as fast.
 *
 * <p>Two arrays have two halves each: one is read by the steps, one is filled.
 *
 * <p>Where the processors do not share a cache, or others want them, the second thread may be slower than the first alone. Who
 * has waited too long in one epoch therefore goes without for some; how long depends on time, but no result does.
 */
final class Prefetch implements AutoCloseable {

    /** So many steps are at hand in the beginning, and must fit a half: longer ones bring their own samples meanwhile. */
    private static final int FIRST = 16;

    /** Floats of a half: both are in a level-2 cache. */
    private static final int HALF = 1 << 16;

    /** Fewer samples are there sooner than a second thread begins (EpochBenchmark, samples = 1024, 2048, 4096). */
    private static final int LEAST = 4096;

    /** As many samples come, as long as steps are taken on one (EpochBenchmark, 13-3-1). */
    private static final double FASTER = 1.4;

    /** Of the time of the steps of an epoch: samples that do not come meanwhile make it half as long again. */
    private static final double MOST_WAITING = 0.25;

    /** Epochs. */
    private static final int LONGEST_REST = 64;

    private final int inputs, outputs;
    private final int batch;
    private final int half; // samples
    private final float[] x; // inputs × 2 half
    private final float[] y; // outputs × 2 half
    private final Program program;
    private final Team team = new Team(2);
    private final IntConsumer bring = this::bring;

    // The epoch at hand
    private Resident.@Nullable Columns data; // null between epochs
    private int[] order = {};
    private int at, end; // the samples at hand, in x and y
    private int next; // the number in the order of the one behind these
    private int coming; // so many from there on are being brought to the other half

    // The order of the next: first it is written, then shuffled
    private int[] following = {};
    private int followingEpoch; // 0 for none
    private int @Nullable [] rows; // of the selection that it is for
    private int written;
    private final Shuffle shuffle = new Shuffle();

    // Whether to do all that
    private long begun; // when the steps at hand did; ns
    private long taken, waited; // in this epoch, ns
    private int rest; // epochs
    private int penalty; // the rest after the latest that waited too long

    private Prefetch(Backend backend, int inputs, int outputs, int batch, int most) {
        this.inputs = inputs;
        this.outputs = outputs;
        this.batch = batch;
        half = batch * Math.min(most, HALF / ((inputs + outputs) * batch));
        x = new float[inputs * 2 * half];
        y = new float[outputs * 2 * half];
        program = backend.program();
    }

    /**
     * For epochs of so many samples, of which each step takes a batch, and so many steps at most are taken together; null where
     * it would not pay.
     */
    static @Nullable Prefetch of(Network network, int batch, int most, int samples) {
        final int inputs = network.inputs(), outputs = network.outputs();
        final boolean alone = batch == 1; // read where it lies
        return alone || samples < LEAST || most < FIRST || (inputs + outputs) * (long) batch * FIRST > HALF ? null
            : new Prefetch(network.backend(), inputs, outputs, batch, most);
    }

    /** Whether to begin an epoch of so many samples. */
    boolean pays(int samples) {
        if (rest > 0) rest--;
        else if (samples >= LEAST) return true;
        return false;
    }

    /**
     * The order of an epoch, if it was prepared during the one before.
     *
     * @param rows of the selection whose samples they are, or null
     * @param old  an array that is no longer needed
     */
    int @Nullable [] order(int size, int @Nullable [] rows, int epoch, int[] old) {
        if (following.length != size || rows != this.rows || epoch != followingEpoch) return null;
        prepare(2 * size);
        followingEpoch = 0;
        final int[] prepared = following;
        following = old;
        return prepared;
    }

    /**
     * Begins an epoch, or the rest of one.
     *
     * @param order of its samples
     * @param rows  of the selection whose samples they are, or null
     * @param from  how many samples of it are done
     * @param seed  of the order of the next
     */
    void begin(Resident.Columns data, int[] order, int @Nullable [] rows, int from, int epoch, long seed) {
        this.data = data;
        this.order = order;
        if (following.length != order.length) following = new int[order.length];
        followingEpoch = epoch + 1;
        this.rows = rows;
        written = 0;
        shuffle.begin(following, seed);
        at = 0;
        next = from;
        end = fitting(FIRST * batch);
        gather(end, 0);
        next += end;
    }

    /** For how many steps there are samples at hand. */
    int steps() {
        return (end - at) / batch;
    }

    /** Where these begin: that many samples from the start of x and y. */
    int at() {
        return at;
    }

    float[] x() {
        return x;
    }

    float[] y() {
        return y;
    }

    /** So many of these steps begin. */
    void start(int steps) {
        coming = steps == steps() ? fitting((int) Math.ceil(FASTER * (end - at))) : 0;
        begun = System.nanoTime();
        team.start(bring);
    }

    /** They are done: returns when the samples of the next are there. */
    void finish(int steps) {
        final long done = System.nanoTime();
        team.finish();
        taken += done - begun;
        waited += System.nanoTime() - done;
        at += steps * batch;
        if (at < end) return;
        at = otherHalf();
        end = at + coming;
        next += coming;
    }

    /** Lets go of the data. */
    void release() {
        if (data == null) return;
        data = null;
        program.clear();
        penalty = waited > MOST_WAITING * taken ? Math.min(2 * penalty + 1, LONGEST_REST) : 0;
        rest = penalty;
        taken = waited = 0;
    }

    private void bring(int part) {
        if (part == 0) return; // whoever trains has something better to do
        if (coming > 0) gather(coming, otherHalf());
        prepare(2 * (end - at));
    }

    private int otherHalf() {
        return end <= half ? half : 0;
    }

    /** Whole batches, of those that are left and fit a half: so many samples or a few more. */
    private int fitting(int samples) {
        return Math.min(samples + batch - 1, Math.min(half, order.length - next)) / batch * batch;
    }

    /** Samples {@code next} and so on, to place {@code to} of x and y. */
    private void gather(int samples, int to) {
        program.clear();
        data.gather(program, order, next, samples, x, to * inputs, y, to * outputs);
        program.run();
    }

    /** Goes on with the next order by so many numbers that are written, or swapped: 2 · size in all. */
    private void prepare(int count) {
        final int from = written, to = Math.min(following.length, from + count);
        if (rows != null) System.arraycopy(rows, from, following, from, to - from);
        else Shuffle.straight(following, from, to);
        written = to;
        shuffle.advance(count - (to - from));
    }

    /** Ends the second thread. */
    @Override
    public void close() {
        team.close();
    }
}
