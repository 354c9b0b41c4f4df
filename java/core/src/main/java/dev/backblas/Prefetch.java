package dev.backblas;

import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings what an epoch of small steps needs next, while steps are taken on what is there: the samples of the next steps, side by
 * side, and bit by bit the order of the next epoch. A second thread does it, or the one that trains, where the second has no
 * processor. On 13-3-1 to bring a sample takes half as long as a step on it, and an epoch is 1.3 to 1.45 times as fast.
 *
 * <p>Piece by piece they lie behind one another, and then from the start again: one piece is read by the steps, the next is
 * filled. It takes long to come round, so that the cache lines that are written to have left the caches of whoever read them
 * last: from there they would come two to three times as slowly (Zen 4: 10 ns a sample of 13-3-1 in 512 KB, 4 in 4 MB).
 *
 * <p>It is slower than one thread alone where the processors do not share a cache, or others want them: {@link Trial} tells.
 */
final class Prefetch implements AutoCloseable {

    /** Floats of the longest piece: it and the next are in a level-2 cache of a megabyte. */
    private static final int PIECE = 1 << 16;

    /** Pieces: 4 MB in all. An epoch of 13-3-1 is up to a third slower with 4 or 8, no faster with 24 (Zen 4). */
    private static final int PIECES = 16;

    /** So many steps are at hand in the beginning. Larger ones, of which a piece has fewer, gather for themselves. */
    private static final int FIRST = 16;

    /**
     * Samples of an epoch, or the second thread begins too late: two threads are 0.9 to 1.05 times as fast on 1024 samples, 1.0
     * to 1.1 on 2048, 1.05 to 1.2 on 4096 (EpochBenchmark without this limit; batches of 8 and 32).
     */
    private static final int LEAST = 4096;

    /** So many samples come while steps are taken on one, of 13-3-1: what nobody has to wait for. */
    private static final double FASTER = 1.4;

    private static final int[] NONE = {};

    private final int inputs, outputs;
    private final int batch;
    private final int piece; // the samples of the longest
    private final int size; // of all pieces
    private final float[] x; // inputs × size
    private final float[] y; // outputs × size
    private final Program program;
    private final Team team;
    private final IntConsumer bring = this::bring;

    // The epoch at hand
    private Resident.@Nullable Columns data; // null between epochs
    private int[] order = NONE;
    private int at, end; // the samples at hand, in x and y
    private int next; // the number in the order of the one behind these
    private int taken; // so many of those at hand are read by steps
    private int coming; // and so many from the next one on are being brought

    // The order of the next: first it is written, then shuffled
    private int[] following = NONE;
    private int followingEpoch; // 0 for none
    private int @Nullable [] rows; // of the selection that it is for
    private int written;
    private final Shuffle shuffle = new Shuffle();

    /**
     * For samples of so many inputs and outputs, of which each step takes a batch.
     *
     * @param most the most steps that are taken together
     */
    Prefetch(Backend backend, int inputs, int outputs, int batch, int most) {
        this.inputs = inputs;
        this.outputs = outputs;
        this.batch = batch;
        piece = batch * Math.min(most, PIECE / ((inputs + outputs) * batch));
        size = PIECES * piece;
        x = new float[inputs * size];
        y = new float[outputs * size];
        program = backend.program();
        team = new Team(2); // last: it is to be closed
    }

    /** Whether there is something to gain in an epoch of so many samples. */
    static boolean suits(int inputs, int outputs, int batch, int most, int samples) {
        final boolean alone = batch == 1; // then it is read where it lies
        return !alone && samples >= LEAST && most >= FIRST && ((long) inputs + outputs) * batch * FIRST <= PIECE;
    }

    /**
     * The order of an epoch, if it was prepared during the one before.
     *
     * @param rows of the selection whose samples they are, or null
     * @param old  an array that is no longer needed
     */
    int @Nullable [] order(int size, int @Nullable [] rows, int epoch, int[] old) {
        if (following.length != size || rows != this.rows || epoch != followingEpoch) return null;
        prepare(size);
        prepare(size);
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
        next = from;
        coming = fitting(FIRST * batch);
        gather();
        arrived();
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
        taken = steps * batch;
        coming = taken == end - at ? fitting((int) Math.ceil(FASTER * taken)) : 0;
        team.start(bring);
    }

    /** They are done: returns when the samples of the next are there, and as much of the next order as it is time for. */
    void finish() {
        team.finish();
        at += taken;
        if (at == end) arrived();
    }

    /** Lets go of the data. */
    void release() {
        data = null;
        order = NONE;
        program.clear();
    }

    private void bring(int part) {
        if (part == 0) return; // whoever trains has something better to do
        if (coming > 0) gather();
        prepare(2 * taken);
    }

    /** Where what is coming begins: until it has arrived. */
    private int behind() {
        return end + coming <= size ? end : 0;
    }

    /** Whole batches, of those that are left and fit a piece: so many samples or a few more. */
    private int fitting(int samples) {
        return Math.min(samples + batch - 1, Math.min(piece, order.length - next)) / batch * batch;
    }

    private void gather() {
        final int to = behind();
        program.clear();
        data.gatherX(program, order, next, coming, x, to * inputs);
        data.gatherY(program, order, next, coming, y, to * outputs);
        program.run();
    }

    /** What was coming is at hand. */
    private void arrived() {
        at = behind();
        end = at + coming;
        next += coming;
    }

    /** Goes on with the next order by so many numbers that are written, or else swapped: 2 · size in all. */
    private void prepare(int count) {
        final int more = Math.min(count, following.length - written);
        Shuffle.write(rows, following, written, written + more);
        written += more;
        shuffle.advance(count - more);
    }

    /** Ends the second thread. */
    @Override
    public void close() {
        team.close();
    }
}
