package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {

    /** More threads than processors too: then somebody has to park. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 8})
    void everyPartIsDoneOnceAndSeesWhatWasWrittenBefore(int size) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (Team team = new Team(size)) {
                final int[] written = new int[size], times = new int[size], wrong = new int[size];
                for (int round = 0; round < 10_000; round++) {
                    final int now = round;
                    team.run(t -> {
                        times[t]++;
                        written[t] = now;
                    });
                    team.run(t -> {
                        for (int other = 0; other < size; other++) if (written[other] != now) wrong[t]++;
                    });
                    for (int t = 0; t < size; t++) assertEquals(now + 1, times[t]);
                }
                for (int t = 0; t < size; t++) assertEquals(0, wrong[t]);
            }
        });
    }

    /** A thread that is held up in one part does not hold up the others. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8})
    void whoIsDoneTakesWhatNobodyHasBegun(int size) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (Team team = new Team(size)) {
                final CountDownLatch others = new CountDownLatch(size - 1);
                team.run(t -> {
                    if (t > 0) {
                        others.countDown();
                        return;
                    }
                    try {
                        others.await(); // or for ever
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
                assertEquals(0, others.getCount());
            }
        });
    }

    /** As where another process takes their processors amid their parts; but not for ever. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void theCallerDoesWithoutThoseWhoHoldItUp(int size) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            final Thread caller = Thread.currentThread();
            try (Team team = new Team(size)) {
                final AtomicInteger own = new AtomicInteger();
                while (own.get() < size) {
                    own.set(0);
                    final CountDownLatch others = new CountDownLatch(size - 1);
                    team.run(t -> {
                        if (Thread.currentThread() == caller) own.incrementAndGet();
                        else others.countDown();
                        try {
                            if (t == 0) others.await(100, TimeUnit.MILLISECONDS); // until they have begun, if they are to
                            if (Thread.currentThread() != caller) Thread.sleep(5);
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    });
                }
                while (own.get() == size) {
                    own.set(0);
                    team.run(t -> {
                        if (Thread.currentThread() == caller) own.incrementAndGet();
                        final long begin = System.nanoTime();
                        while (System.nanoTime() - begin < 100_000) Thread.onSpinWait();
                    });
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aFailureReachesTheCallerAndTheTeamGoesOn(int size) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try (Team team = new Team(size)) {
                for (int round = 0; round < 100; round++) {
                    final int failing = round % size;
                    final var thrown = assertThrows(UnsupportedOperationException.class, () -> team.run(t -> {
                        if (t == failing) throw new UnsupportedOperationException("part " + t);
                    }));
                    assertEquals("part " + failing, thrown.getMessage());
                    final AtomicIntegerArray ran = new AtomicIntegerArray(size);
                    team.run(ran::incrementAndGet);
                    for (int t = 0; t < size; t++) assertEquals(1, ran.get(t));
                }
            }
        });
    }

    @Test
    void closingEndsTheThreads() throws InterruptedException {
        final Team team = new Team(3);
        final Thread[] all = new Thread[Thread.activeCount() + 8];
        final int count = Thread.enumerate(all);
        team.close();
        int ended = 0;
        for (int i = 0; i < count; i++) {
            if (!all[i].getName().startsWith("backblas-")) continue;
            all[i].join(10_000);
            assertTrue(!all[i].isAlive());
            ended++;
        }
        assertTrue(ended >= 2, ended + " threads"); // those of other tests, too
    }
}
