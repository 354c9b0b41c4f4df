package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ShuffleTest {

    /** As a textbook has it, with a draw before each swap: also where draws are many at a time, and one is left. */
    @Test
    void itIsThatOfFisherAndYates() {
        final Shuffle shuffle = new Shuffle();
        for (int size : new int[] {0, 1, 2, 3, 100, 256, 257, 258, 513, 10_000})
            for (long seed : new long[] {0, 1, -1, Long.MIN_VALUE, 0x123456789abcdefL}) {
                final int[] want = straight(size), order = straight(size);
                final SplittableRandom random = new SplittableRandom(seed);
                for (int i = size - 1; i > 0; i--) {
                    final int j = (int) (Integer.toUnsignedLong(random.nextInt()) * (i + 1) >>> 32), swap = want[i];
                    want[i] = want[j];
                    want[j] = swap;
                }
                shuffle.apply(order, seed);
                assertArrayEquals(want, order, size + " with seed " + seed);
            }
    }

    /** Cut anywhere, and then some. */
    @Test
    void bitByBitItIsTheSame() {
        for (int size : new int[] {0, 1, 2, 257, 10_000}) {
            final int[] want = straight(size), order = straight(size);
            new Shuffle().apply(want, 7);
            final Shuffle shuffle = new Shuffle();
            shuffle.begin(order, 7);
            for (int swaps = 0, done = 0; done < size; done += swaps++) shuffle.advance(swaps);
            shuffle.advance(1000);
            assertArrayEquals(want, order, "" + size);
        }
    }

    private static int[] straight(int size) {
        final int[] order = new int[size];
        for (int i = 0; i < size; i++) order[i] = i;
        return order;
    }
}
