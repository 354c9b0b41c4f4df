package dev.backblas;

import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;

/** A {@link Dataset} whose samples lie in arrays, so that a batch is made of them at once. */
interface Resident extends Dataset {

    /**
     * Copies the samples {@code rows[from … to)}, side by side.
     *
     * @param x inputs × (to − from)
     * @param y outputs × (to − from)
     */
    void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset);

    /** One whose samples are columns of arrays, which a program may gather by itself; each counts for 1. */
    interface Columns extends Resident {

        /** Writes down that x of the samples {@code columns[from … from + m)} are copied, side by side: inputs × m. */
        void gatherX(Program program, int[] columns, int from, int m, float[] x, int xOffset);

        /** The same of y: outputs × m. */
        void gatherY(Program program, int[] columns, int from, int m, float[] y, int yOffset);
    }

    /** The same of any dataset, sample by sample where its samples lie elsewhere. */
    static void gather(Dataset data, Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y,
                       int yOffset) {
        if (data instanceof Resident resident) resident.gather(backend, rows, from, to, x, xOffset, y, yOffset);
        else
            for (int j = 0; j < to - from; j++)
                data.copy(rows[from + j], x, xOffset + j * data.inputs(), y, yOffset + j * data.outputs());
    }
}
