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

    /** The same of any dataset, sample by sample where its samples lie elsewhere. */
    static void gather(Dataset data, Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y,
                       int yOffset) {
        if (data instanceof Resident resident) resident.gather(backend, rows, from, to, x, xOffset, y, yOffset);
        else
            for (int j = 0; j < to - from; j++)
                data.copy(rows[from + j], x, xOffset + j * data.inputs(), y, yOffset + j * data.outputs());
    }
}
