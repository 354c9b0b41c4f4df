package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {

    /** More threads than processors too: then somebody has to park. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void whatIsWrittenBeforeABarrierIsReadAfterIt(int size) {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (Team team = new Team(size)) {
                final int[] written = new int[size * 64];
                final long[] sums = new long[size];
                for (int round = 0; round < 20; round++) {
                    final int base = round * 1000;
                    team.run(t -> {
                        for (int step = 0; step < 500; step++) {
                            written[t * 64] = base + step;
                            team.barrier(t);
                            for (int other = 0; other < size; other++) sums[t] += written[other * 64] - base - step;
                            team.barrier(t);
                        }
                    });
                }
                assertArrayEquals(new long[size], sums);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aFailureReachesTheCallerAndTheTeamGoesOn(int size) {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (Team team = new Team(size)) {
                for (int round = 0; round < 100; round++) {
                    final int failing = round % size;
                    final var thrown = assertThrows(UnsupportedOperationException.class, () -> team.run(t -> {
                        team.barrier(t);
                        if (t == failing) throw new UnsupportedOperationException("thread " + t);
                        team.barrier(t);
                        team.barrier(t);
                    }));
                    assertEquals("thread " + failing, thrown.getMessage());
                    final boolean[] ran = new boolean[size];
                    team.run(t -> {
                        team.barrier(t);
                        ran[t] = true;
                    });
                    for (boolean r : ran) assertTrue(r);
                }
            }
        });
    }

    @Test
    void closingEndsTheThreads() throws InterruptedException {
        final Thread[] workers = new Thread[3];
        final Team team = new Team(3);
        team.run(t -> workers[t] = Thread.currentThread());
        team.close();
        for (int t = 1; t < 3; t++) {
            workers[t].join(10_000);
            assertTrue(!workers[t].isAlive());
        }
        assertEquals(Thread.currentThread(), workers[0]);
    }
}
