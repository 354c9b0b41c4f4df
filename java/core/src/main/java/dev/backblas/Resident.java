package dev.backblas;

import dev.backblas.backend.Backend;

/** A {@link Dataset} whose samples lie in arrays, so that a batch is made of them at once. */
interface Resident extends Dataset {

    /**
     * Copies the samples {@code rows[from … to)}, side by side.
     *
     * @param x inputs × (to − from)
     * @param y outputs × (to − from)
     */
    void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset);
}
