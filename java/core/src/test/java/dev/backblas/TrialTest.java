package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TrialTest {

    private final Trial trial = new Trial();

    /** So many epochs go the old way, and then one goes the new, which is not judged: a thread had to be woken. */
    private void rest(int epochs, double time) {
        for (int i = 0; i < epochs; i++) {
            assertFalse(trial.next(), "after " + i + " of " + epochs);
            trial.took(false, time);
        }
        assertTrue(trial.next());
        trial.took(true, 1000);
        assertTrue(trial.next());
    }

    @Test
    void theSlowerWayIsTriedEverLessOften() {
        rest(1, 10); // first it must be known how long the old one takes
        for (int epochs : new int[] {1, 3, 7, 15, 31, 63, 63}) {
            trial.took(true, 10.1);
            rest(epochs, 10);
        }
        trial.took(true, 9.9);
        assertTrue(trial.next());
        trial.took(true, 10.1);
        rest(1, 10);
    }

    @Test
    void theFasterWayIsComparedFromTimeToTime() {
        rest(1, 10);
        int rests = 0;
        for (int epoch = 0; epoch < 1000; epoch++) {
            if (!trial.next()) rests++;
            trial.took(trial.next(), trial.next() ? 9 : 10);
        }
        assertEquals(15, rests);
    }

    /** The old way has become the faster one meanwhile. */
    @Test
    void whatTheOldWayTookLastCounts() {
        rest(1, 10);
        int epochs = 0;
        for (; trial.next(); epochs++) trial.took(true, 9);
        assertEquals(64, epochs);
        rest(1, 8);
        trial.took(true, 9);
        assertFalse(trial.next());
    }
}
