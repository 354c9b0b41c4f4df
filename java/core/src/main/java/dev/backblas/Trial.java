package dev.backblas;

/**
 * Tries whether epochs, or any other stretches of work, are faster in a new way than in the old one, as long as there are some:
 * how fast either is may change with what else the machine does. It decides by time, so no result may depend on which way they
 * go.
 */
class Trial {

    /** Epochs: what is lost in one of so many is not noticed. */
    private static final int LONGEST_REST = 63;

    private double old; // ns a sample; 0 before the first
    private int rest = 1; // so many epochs go the old way
    private int penalty; // and so many did after the latest that was slower in the new way
    private int since; // so many in the new way
    private boolean first; // of these after a rest

    /** Whether the next epoch is to go the new way. */
    boolean next() {
        return rest == 0;
    }

    /** An epoch is over, and took so many ns a sample. */
    void took(boolean newWay, double time) {
        if (!newWay) {
            old = time;
            rest = Math.max(0, rest - 1);
            first = true;
        } else if (first) {
            first = false; // not judged: a second thread had to be woken
        } else if (time > old) {
            rest = penalty = Math.min(2 * penalty + 1, LONGEST_REST);
        } else {
            penalty = 0;
            if (++since % (LONGEST_REST + 1) == 0) rest = 1; // to see whether the old one still takes as long
        }
    }
}
