package dev.backblas.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/** How well a model does, counted sample by sample: the memory it takes does not grow with the data. */
abstract sealed class Evaluation permits Evaluation.Classes, Evaluation.Quantity {

    /** The worst mistakes that are remembered. */
    private static final int WORST = 24;

    private long samples;
    private final PriorityQueue<Mistake> worst = new PriorityQueue<>(Comparator.comparingDouble(Mistake::cost));

    /**
     * A sample that the model was wrong about.
     *
     * @param sample    its number, from 0
     * @param truth     the label or the quantity
     * @param predicted what the model said
     * @param cost      by which mistakes are compared
     * @param about     how sure the model was, or how far it was off
     */
    record Mistake(long sample, String truth, String predicted, double cost, String about) {}

    /** Counts m samples: the outputs of a model, and for each a quantity or the number of its class. */
    abstract void add(float[] outputs, float[] truth, int m);

    /** The figures, in one sentence. */
    abstract String verdict();

    /** The figures, in some lines. */
    abstract String text();

    /** The figures by name, for machines; those that are not defined are missing. */
    abstract Map<String, Object> figures();

    long samples() {
        return samples;
    }

    /** The worst first. */
    List<Mistake> worst() {
        final List<Mistake> sorted = new ArrayList<>(worst);
        sorted.sort(Comparator.comparingDouble(Mistake::cost).reversed().thenComparingLong(Mistake::sample));
        return sorted;
    }

    final long next() {
        return samples++;
    }

    final boolean isAmongTheWorst(double cost) {
        return worst.size() < WORST || cost > worst.element().cost;
    }

    final void remember(Mistake mistake) {
        worst.add(mistake);
        if (worst.size() > WORST) worst.remove();
    }

    /** Of a classifier. */
    static final class Classes extends Evaluation {

        /** The parts of [0, 1] into which the probability of the predicted class falls. */
        static final int BINS = 10;

        private final List<String> labels;
        private final long[][] confusion; // true class × predicted class
        private final long[] binned = new long[BINS]; // samples of each bin
        private final long[] binnedRight = new long[BINS]; // and those that were right
        private final double[] binnedSum = new double[BINS]; // and the sum of their probabilities
        private long right;
        private double logLoss;

        Classes(List<String> labels) {
            this.labels = List.copyOf(labels);
            confusion = new long[labels.size()][labels.size()];
        }

        /** Counts a sample of class {@code truth}, the probability of each class from {@code offset} on. */
        void add(float[] p, int offset, int truth) {
            int best = 0;
            for (int k = 1; k < labels.size(); k++) if (p[offset + k] > p[offset + best]) best = k;
            final double sure = p[offset + best], expected = p[offset + truth];
            final long sample = next();
            confusion[truth][best]++;
            logLoss -= Math.log(Math.max(expected, Float.MIN_NORMAL));
            final int bin = (int) Math.max(0, Math.min(BINS - 1, sure * BINS));
            binned[bin]++;
            binnedSum[bin] += sure;
            if (best == truth) {
                right++;
                binnedRight[bin]++;
            } else if (isAmongTheWorst(sure - expected)) {
                final String about = String.format("%.1f against %.1f %%", 100 * sure, 100 * expected);
                remember(new Mistake(sample, labels.get(truth), labels.get(best), sure - expected, about));
            }
        }

        @Override
        void add(float[] outputs, float[] truth, int m) {
            for (int j = 0; j < m; j++) add(outputs, j * labels.size(), (int) truth[j]);
        }

        List<String> labels() {
            return labels;
        }

        double accuracy() {
            return (double) right / samples();
        }

        /** The mean of −log p of the true class. */
        double logLoss() {
            return logLoss / samples();
        }

        /** The mean distance, over all samples, between the probability claimed and the share that was right. */
        double calibrationError() {
            double sum = 0;
            for (int bin = 0; bin < BINS; bin++) sum += Math.abs(binnedSum[bin] - binnedRight[bin]);
            return sum / samples();
        }

        long count(int truth, int predicted) {
            return confusion[truth][predicted];
        }

        long ofClass(int truth) {
            long sum = 0;
            for (long n : confusion[truth]) sum += n;
            return sum;
        }

        /** Of the samples of a class, the share that was found; NaN where there is none. */
        double recall(int k) {
            return (double) confusion[k][k] / ofClass(k);
        }

        /** Of the samples taken for a class, the share that is of it; NaN where there is none. */
        double precision(int k) {
            long sum = 0;
            for (long[] row : confusion) sum += row[k];
            return (double) confusion[k][k] / sum;
        }

        /** A bin of calibration: the mean probability, the share that was right, and the samples. */
        record Bin(double claimed, double right, long samples) {}

        /** The samples of each bin. */
        long[] binned() {
            return binned.clone();
        }

        /** The bins that are not empty. */
        List<Bin> bins() {
            final List<Bin> bins = new ArrayList<>();
            for (int bin = 0; bin < BINS; bin++)
                if (binned[bin] > 0)
                    bins.add(new Bin(binnedSum[bin] / binned[bin], (double) binnedRight[bin] / binned[bin], binned[bin]));
            return bins;
        }

        @Override
        String verdict() {
            return String.format("%.2f %% of the %,d held-out samples are right", 100 * accuracy(), samples());
        }

        @Override
        String text() {
            final StringBuilder text = new StringBuilder(String.format(
                "%.2f %% of %,d samples are right; log loss %.4f; the probabilities are off by %.1f points on average%n%n",
                100 * accuracy(), samples(), logLoss(), 100 * calibrationError()));
            final int width = Math.max(5, Math.min(24, labels.stream().mapToInt(String::length).max().orElse(5)));
            text.append(String.format("%-" + width + "s %9s %9s %9s%n", "class", "samples", "found", "right"));
            for (int k = 0; k < labels.size(); k++)
                text.append(String.format("%-" + width + "s %,9d %s %s%n", labels.get(k), ofClass(k), share(recall(k)),
                                          share(precision(k))));
            return text.toString();
        }

        private static String share(double share) {
            return Double.isNaN(share) ? "        -" : String.format("%7.1f %%", 100 * share);
        }

        @Override
        Map<String, Object> figures() {
            final Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("samples", samples());
            figures.put("accuracy", accuracy());
            figures.put("log_loss", logLoss());
            figures.put("calibration_error", calibrationError());
            figures.put("labels", labels);
            figures.put("confusion", confusion);
            return figures;
        }
    }

    /** Of a regression. */
    static final class Quantity extends Evaluation {

        /** The points that are kept for a picture: a fair sample of all. */
        static final int KEPT = 2000;

        private final String name;
        private final double[][] kept = new double[KEPT][];
        private final SplittableRandom random = new SplittableRandom(1);
        private double squares; // Σ (ŷ − y)²
        private double distances; // Σ |ŷ − y|
        private double mean; // of y
        private double deviations; // Σ (y − mean)²

        Quantity(String name) {
            this.name = name;
        }

        void add(double predicted, double truth) {
            final long sample = next();
            final double off = predicted - truth, before = truth - mean;
            squares += off * off;
            distances += Math.abs(off);
            mean += before / (sample + 1);
            deviations += before * (truth - mean);
            final long place = sample < KEPT ? sample : random.nextLong(sample + 1);
            if (place < KEPT) kept[(int) place] = new double[] {predicted, truth};
            if (isAmongTheWorst(Math.abs(off)))
                remember(new Mistake(sample, figure(truth), figure(predicted), Math.abs(off),
                                     "off by " + (off > 0 ? "+" : "") + figure(off)));
        }

        @Override
        void add(float[] outputs, float[] truth, int m) {
            for (int j = 0; j < m; j++) add(outputs[j], truth[j]);
        }

        /** Four or five digits that count. */
        static String figure(double value) {
            final double size = Math.abs(value);
            if (size >= 1e7 || size > 0 && size < 1e-3) return String.format("%.3e", value);
            final int decimals = 3 - (int) Math.floor(Math.log10(Math.max(1e-3, size)));
            return String.format("%." + Math.max(0, decimals) + "f", value);
        }

        String name() {
            return name;
        }

        double rootMeanSquaredError() {
            return Math.sqrt(squares / samples());
        }

        double meanAbsoluteError() {
            return distances / samples();
        }

        /** The share of the target's variance that is explained; NaN where it has none. */
        double r2() {
            return 1 - squares / deviations;
        }

        /** Some samples: predicted, true. */
        List<double[]> points() {
            return Arrays.asList(kept).subList(0, (int) Math.min(KEPT, samples()));
        }

        @Override
        String verdict() {
            return String.format("%s is off by %s (root mean square) on the %,d held-out samples", name,
                                 figure(rootMeanSquaredError()), samples());
        }

        @Override
        String text() {
            return String.format("%s is off by %s (root mean square), %s (mean absolute) on %,d samples%s%n", name,
                                 figure(rootMeanSquaredError()), figure(meanAbsoluteError()), samples(),
                                 Double.isFinite(r2()) ? String.format("; R² %.4f", r2()) : "");
        }

        @Override
        Map<String, Object> figures() {
            final Map<String, Object> figures = new LinkedHashMap<>();
            figures.put("samples", samples());
            figures.put("rmse", rootMeanSquaredError());
            figures.put("mae", meanAbsoluteError());
            if (Double.isFinite(r2())) figures.put("r2", r2());
            return figures;
        }
    }
}
