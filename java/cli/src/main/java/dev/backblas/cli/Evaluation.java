package dev.backblas.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** How well a model does, counted sample by sample: the memory it takes does not grow with the data. */
abstract sealed class Evaluation permits Evaluation.Classes, Evaluation.Quantity, Evaluation.Labels, Evaluation.Quantities {

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

    /** Counts m samples: the outputs of a model, and the number of the class, the labels (1 or 0) or the quantities of each. */
    abstract void add(float[] outputs, float[] truth, int m);

    /** The most telling figures, by name, for the head of a report. */
    abstract Map<String, String> facts();

    /** What is to be said of a model that does no better than one that does not look at its inputs; null if it does better. */
    abstract @Nullable String failure();

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
        return worst(worst);
    }

    static List<Mistake> worst(Collection<Mistake> mistakes) {
        return mistakes.stream().sorted(Comparator.comparingDouble(Mistake::cost).reversed()
            .thenComparingLong(Mistake::sample)).limit(WORST).toList();
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

        private final List<String> labels;
        private final long[][] confusion; // true class × predicted class
        private final Calibration calibration = new Calibration();
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
            calibration.add(sure, best == truth);
            if (best == truth) right++;
            else if (isAmongTheWorst(sure - expected)) {
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

        Calibration calibration() {
            return calibration;
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

        @Override
        String verdict() {
            return String.format("%.2f %% of the %,d held-out samples are right", 100 * accuracy(), samples());
        }

        @Override
        String text() {
            final StringBuilder text = new StringBuilder(String.format(
                "%.2f %% of %,d samples are right; log loss %.4f; the probabilities are off by %.1f points on average%n%n",
                100 * accuracy(), samples(), logLoss(), 100 * calibration.error()));
            text.append(header("class", labels));
            for (int k = 0; k < labels.size(); k++) text.append(line(k, labels));
            return text.toString();
        }

        /** The head of a table of labels, as wide as they want. */
        static String header(String what, List<String> labels) {
            return String.format("%-" + width(labels) + "s %9s %9s %9s%n", what, "samples", "found", "right");
        }

        /** The line of class k in it. */
        String line(int k, List<String> among) {
            return String.format("%-" + width(among) + "s %,9d %s %s%n", labels.get(k), ofClass(k), share(recall(k)),
                                 share(precision(k)));
        }

        private static int width(List<String> labels) {
            return Math.max(5, Math.min(24, labels.stream().mapToInt(String::length).max().orElse(5)));
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
            figures.put("calibration_error", calibration.error());
            figures.put("labels", labels);
            figures.put("confusion", confusion);
            return figures;
        }

        @Override
        Map<String, String> facts() {
            final Map<String, String> facts = new LinkedHashMap<>();
            facts.put("right, held out", String.format("%.2f %%", 100 * accuracy()));
            facts.put("log loss", String.format("%.4f", logLoss()));
            return facts;
        }

        @Override
        @Nullable String failure() {
            int largest = 0;
            for (int k = 1; k < labels.size(); k++) if (ofClass(k) > ofClass(largest)) largest = k;
            if (right > ofClass(largest) || right == samples()) return null;
            return String.format("the model is no better than one that always says %s (%.2f %%)", labels.get(largest),
                                 100.0 * ofClass(largest) / samples());
        }
    }

    /** Of a model of labels, of which a sample may have several, or none. */
    static final class Labels extends Evaluation {

        private final List<String> labels;
        private final List<Classes> each = new ArrayList<>(); // label by label: it is not there, or it is
        private final Calibration calibration = new Calibration();
        private long right; // samples with all labels right

        Labels(List<String> labels) {
            this.labels = List.copyOf(labels);
            for (String label : labels) each.add(new Classes(List.of("not " + label, label)));
        }

        @Override
        void add(float[] outputs, float[] truth, int m) {
            final int n = labels.size();
            final float[] p = new float[2];
            for (int j = 0; j < m; j++) {
                boolean all = true;
                for (int k = 0; k < n; k++) {
                    p[1] = outputs[j * n + k];
                    p[0] = 1 - p[1];
                    final int there = (int) truth[j * n + k];
                    final boolean isRight = p[1] >= 0.5f == (there == 1);
                    each.get(k).add(p, 0, there);
                    calibration.add(Math.max(p[0], p[1]), isRight);
                    all &= isRight;
                }
                if (all) right++;
                next();
            }
        }

        /** How one of the labels fares: of its two classes, the second is that it is there. */
        Classes of(int label) {
            return each.get(label);
        }

        List<String> labels() {
            return labels;
        }

        Calibration calibration() {
            return calibration;
        }

        /** The share of samples with all labels right. */
        double accuracy() {
            return (double) right / samples();
        }

        @Override
        List<Mistake> worst() {
            return worst(each.stream().flatMap(label -> label.worst().stream()).toList());
        }

        @Override
        String verdict() {
            return String.format("all %d labels are right for %.2f %% of the %,d held-out samples", labels.size(),
                                 100 * accuracy(), samples());
        }

        @Override
        String text() {
            final StringBuilder text = new StringBuilder(String.format(
                "all %d labels are right for %.2f %% of %,d samples; the probabilities are off by %.1f points on average%n%n",
                labels.size(), 100 * accuracy(), samples(), 100 * calibration.error()));
            text.append(Classes.header("label", labels));
            for (int k = 0; k < labels.size(); k++) text.append(each.get(k).line(1, labels));
            return text.toString();
        }

        @Override
        Map<String, Object> figures() {
            final Map<String, Object> figures = new LinkedHashMap<>(), ofEach = new LinkedHashMap<>();
            figures.put("samples", samples());
            figures.put("accuracy", accuracy());
            figures.put("calibration_error", calibration.error());
            for (int k = 0; k < labels.size(); k++) ofEach.put(labels.get(k), each.get(k).figures());
            figures.put("labels", ofEach);
            return figures;
        }

        @Override
        Map<String, String> facts() {
            return Map.of("all labels right, held out", String.format("%.2f %%", 100 * accuracy()));
        }

        @Override
        @Nullable String failure() {
            return each.stream().allMatch(label -> label.failure() != null)
                ? "for no label the model is better than one that always says the same" : null;
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

        @Override
        Map<String, String> facts() {
            final Map<String, String> facts = new LinkedHashMap<>();
            facts.put("root mean square", figure(rootMeanSquaredError()));
            facts.put("R²", Double.isFinite(r2()) ? String.format(r2() > -1e4 ? "%.3f" : "%.2e", r2()) : "–");
            return facts;
        }

        @Override
        @Nullable String failure() {
            if (!(r2() <= 0 && deviations > 0)) return null;
            return String.format("the model is no better than one that always says the mean of %s (R² %s)", name, figure(r2()));
        }
    }

    /** Of a regression of several quantities. */
    static final class Quantities extends Evaluation {

        private final List<Quantity> each;

        Quantities(List<String> names) {
            each = names.stream().map(Quantity::new).toList();
        }

        @Override
        void add(float[] outputs, float[] truth, int m) {
            final int n = each.size();
            for (int j = 0; j < m; j++) {
                for (int k = 0; k < n; k++) each.get(k).add(outputs[j * n + k], truth[j * n + k]);
                next();
            }
        }

        List<Quantity> each() {
            return each;
        }

        /** Of all quantities, in the unit of the error that each has on average. */
        @Override
        List<Mistake> worst() {
            return worst(each.stream().flatMap(quantity -> quantity.worst().stream().map(mistake -> new Mistake(
                mistake.sample(), quantity.name + " " + mistake.truth(), mistake.predicted(),
                mistake.cost() / quantity.rootMeanSquaredError(), mistake.about()))).toList());
        }

        @Override
        String verdict() {
            return each.stream().map(q -> q.name + " is off by " + Quantity.figure(q.rootMeanSquaredError()))
                .collect(Collectors.joining(", ")) + String.format(" (root mean square) on the %,d held-out samples", samples());
        }

        @Override
        String text() {
            return each.stream().map(Quantity::text).collect(Collectors.joining());
        }

        @Override
        Map<String, Object> figures() {
            final Map<String, Object> figures = new LinkedHashMap<>(), ofEach = new LinkedHashMap<>();
            figures.put("samples", samples());
            for (Quantity quantity : each) ofEach.put(quantity.name, quantity.figures());
            figures.put("targets", ofEach);
            return figures;
        }

        @Override
        Map<String, String> facts() {
            final Map<String, String> facts = new LinkedHashMap<>();
            for (Quantity quantity : each.subList(0, Math.min(3, each.size())))
                facts.put("R² of " + quantity.name, quantity.facts().get("R²"));
            return facts;
        }

        @Override
        @Nullable String failure() {
            return each.stream().map(Quantity::failure).filter(Objects::nonNull).findFirst().orElse(null);
        }
    }
}
