package dev.backblas;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** What came of each epoch that a {@link Trainer} has finished, in their order. Read it on the trainer's thread. */
public final class History implements Iterable<History.Epoch> {

    /**
     * One epoch.
     *
     * @param number         1 for the first
     * @param loss           the mean of C over the training samples, each measured before its own step, without the penalty
     * @param validationLoss the mean of C over the validation samples after the epoch; NaN where there are none
     * @param metric         the trainer's metric after the epoch; NaN where there is none
     * @param rate           η of its last step
     * @param seconds        how long its steps took
     */
    public record Epoch(int number, double loss, double validationLoss, double metric, double rate, double seconds) {

        /**
         * {@return the loss that early stopping and {@link Schedule#plateau} watch: of the validation samples, if there are any}
         */
        public double monitored() {
            return Double.isNaN(validationLoss) ? loss : validationLoss;
        }
    }

    private final List<Epoch> epochs = new ArrayList<>();

    History() {}

    void add(Epoch epoch) {
        epochs.add(epoch);
    }

    /** {@return how many epochs there are} */
    public int size() {
        return epochs.size();
    }

    /**
     * {@return epoch i of 0 … {@link #size()} − 1}
     *
     * @param i counts from 0, and finished epochs only
     * @throws IndexOutOfBoundsException if there is no such epoch
     */
    public Epoch get(int i) {
        return epochs.get(i);
    }

    /**
     * {@return the latest epoch}
     *
     * @throws IllegalStateException if no epoch is finished
     */
    public Epoch last() {
        if (epochs.isEmpty()) throw new IllegalStateException("history: no epoch is finished; expected 1 or more");
        return epochs.get(epochs.size() - 1);
    }

    /**
     * Where the monitored loss was smallest: the first such index, or −1 if no epoch is finished. A loss counts as smaller if it
     * is so by more than {@code least}.
     */
    int best(double least) {
        int best = -1;
        for (int i = 0; i < epochs.size(); i++)
            if (best < 0 || epochs.get(i).monitored() < epochs.get(best).monitored() - least) best = i;
        return best;
    }

    /** {@return the epochs, in a list of their own} */
    public List<Epoch> epochs() {
        return List.copyOf(epochs);
    }

    @Override
    public Iterator<Epoch> iterator() {
        return epochs().iterator();
    }
}
