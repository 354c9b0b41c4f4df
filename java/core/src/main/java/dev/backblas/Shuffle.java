package dev.backblas;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Permutations that depend on a seed alone: those of Fisher and Yates with the numbers of a {@link SplittableRandom}. One may be
 * made bit by bit.
 *
 * <p>They are drawn many at a time, in passes of one operation each, which C2 vectorises: an order takes half the time that it
 * does with a draw before each swap. The numbers are computed as SplittableRandom does (Steele, Lea and Flood, Fast Splittable
 * Pseudorandom Number Generators, OOPSLA 2014): of a seed that grows by the golden ratio, mixed.
 */
final class Shuffle {

    /** What each number is mixed with where several make one seed: the golden ratio. */
    static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private static final int DRAWS = 256;
    private static final long[] NUMBERS = new long[DRAWS];

    static {
        for (int k = 0; k < DRAWS; k++) NUMBERS[k] = k;
    }

    private final long[] draws = new long[DRAWS];
    private int[] order = {};
    private long seed;
    private int i; // those before are still to be swapped, and this one

    /** Writes {@code rows} from one place to before another, or without them each place's number. */
    static void write(int @Nullable [] rows, int[] order, int from, int to) {
        if (rows != null) System.arraycopy(rows, from, order, from, to - from);
        else for (int i = from; i < to; i++) order[i] = i;
    }

    /** Brings {@code order} into another. */
    void apply(int[] order, long seed) {
        begin(order, seed);
        advance(order.length);
    }

    /** Begins to bring {@code order} into another. */
    void begin(int[] order, long seed) {
        this.order = order;
        this.seed = seed;
        i = order.length - 1;
    }

    /** Goes on by so many swaps or a few more; after as many as there are numbers it is done. */
    void advance(int swaps) {
        final int end = Math.max(0, i - swaps);
        while (i > end) {
            final int count = Math.min(i, DRAWS);
            draw(count, seed, i + 1);
            swap(order, i, count);
            seed += count * GOLDEN;
            i -= count;
        }
    }

    /** By the draws, from i downwards: a method of its own, so that all of it is in registers. */
    private void swap(int[] order, int i, int count) {
        final long[] draws = this.draws;
        for (int k = 0; k < count; k++, i--) {
            final int j = (int) draws[k]; // 0 … i
            final int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
    }

    /** Draws k = 0, 1 … are from 0 to below {@code bound} − k. */
    private void draw(int count, long seed, long bound) {
        final long[] draws = this.draws, numbers = NUMBERS;
        final long first = seed + GOLDEN;
        for (int k = 0; k < count; k++) draws[k] = first + numbers[k] * GOLDEN;
        for (int k = 0; k < count; k++) draws[k] = (draws[k] ^ draws[k] >>> 33) * 0x62A9D9ED799705F5L;
        for (int k = 0; k < count; k++) draws[k] = (draws[k] ^ draws[k] >>> 28) * 0xCB24D0A5C88C35B3L;
        for (int k = 0; k < count; k++) draws[k] = (draws[k] >>> 32) * (bound - numbers[k]) >>> 32;
    }
}
