package dev.backblas.cli;

import com.google.gson.Gson;
import com.samskivert.mustache.Mustache;
import dev.backblas.Network;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.stream.IntStream;

/**
 * A page about a run of training, for a browser: one file, with everything in it. {@code report.html} is its form, Mustache
 * fills it; {@code report.js} draws the charts with Apache ECharts.
 */
final class Report {

    /** Beyond this many classes a table of all against all is no longer read. */
    private static final int MOST_COLUMNS = 20;
    /** Lines of a table of confusions. */
    private static final int MOST_PAIRS = 15;
    /** Units whose weights are shown. */
    private static final int MOST_TILES = 64;
    /** Of a table of rows. */
    private static final int MOST_FIELDS = 30;
    /** Targets with charts of their own. */
    private static final int MOST_QUANTITIES = 12;
    private static final int RESIDUAL_BARS = 25;
    private static final int GROUPS = 10;

    private final Map<String, Object> page = new HashMap<>();
    private final Map<String, Object> data = new LinkedHashMap<>(); // for the charts
    private final List<Entry> facts = new ArrayList<>();
    private final List<Entry> configuration = new ArrayList<>();
    private final List<Curve> curves = new ArrayList<>();

    private record Entry(String name, String value) {}

    /** A line of a chart, a value for each epoch. */
    record Series(String name, double[] values) {}

    private record Curve(int index, String title, String unit, boolean logarithmic, List<Series> series) {}

    private record Cell(String count, String kind, String share, String about) {}

    private record Row(String label, List<Cell> cells, String recall) {}

    private record Pair(String truth, String predicted, String count, String share) {}

    private record LabelRow(String label, String samples, String found, String right, String accuracy) {}

    private record QuantityRow(int index, String target, String note) {}

    private record Tile(int unit, String image) {}

    private record Shown(long line, String truth, String predicted, String about, String image, List<String> fields) {}

    Report(String title, String lead) {
        page.put("title", title);
        page.put("lead", lead);
    }

    /** What is wrong with the model. */
    void warning(String sentence) {
        page.put("warning", sentence);
    }

    /** A figure for the head of the page. */
    void fact(String name, String value) {
        facts.add(new Entry(name, value));
    }

    /** A line about how the model was made. */
    void configuration(String name, String value) {
        configuration.add(new Entry(name, value));
    }

    /** The numbers of the epochs that curves have values for. */
    void epochs(int[] epochs, String note) {
        data.put("epochs", epochs);
        page.put("curvesNote", note);
    }

    /** A chart of values over epochs. A loss that falls by orders of magnitude has a logarithmic axis. */
    void curve(String title, String unit, boolean loss, List<Series> series) {
        double least = Double.POSITIVE_INFINITY, most = 0;
        for (Series line : series)
            for (double value : line.values) {
                least = Math.min(least, value);
                most = Math.max(most, value);
            }
        curves.add(new Curve(curves.size(), title, unit, loss && least > 0 && most > 30 * least, series));
    }

    /** How the model did on samples that it had not seen. */
    void evaluation(Evaluation evaluation) {
        if (evaluation instanceof Evaluation.Classes classes) classes(classes);
        else if (evaluation instanceof Evaluation.Labels labels) labels(labels);
        else if (evaluation instanceof Evaluation.Quantity quantity) quantities(List.of(quantity));
        else quantities(((Evaluation.Quantities) evaluation).each());
    }

    private void classes(Evaluation.Classes classes) {
        final List<String> labels = classes.labels();
        final int size = labels.size();
        final Map<String, Object> context = new HashMap<>();
        page.put("classes", context);
        final List<int[]> pairs = new ArrayList<>(); // true class, predicted class
        long mostOff = 1;
        for (int t = 0; t < size; t++)
            for (int k = 0; k < size; k++)
                if (t != k && classes.count(t, k) > 0) {
                    pairs.add(new int[] {t, k});
                    mostOff = Math.max(mostOff, classes.count(t, k));
                }
        pairs.sort(Comparator.comparingLong((int[] pair) -> -classes.count(pair[0], pair[1])));
        if (size <= MOST_COLUMNS) {
            final List<Row> rows = new ArrayList<>();
            for (int t = 0; t < size; t++) {
                final List<Cell> cells = new ArrayList<>();
                for (int k = 0; k < size; k++) {
                    final long count = classes.count(t, k);
                    final double share =
                        t == k ? (double) count / Math.max(1, classes.ofClass(t)) : Math.sqrt((double) count / mostOff);
                    cells.add(new Cell(grouped(count), count == 0 && t != k ? "none" : t == k ? "right" : "wrong",
                                       String.format("%.3f", share),
                                       labels.get(t) + " taken for " + labels.get(k) + ": " + count + " of "
                                           + classes.ofClass(t)));
                }
                rows.add(new Row(labels.get(t), cells, percent(classes.recall(t))));
            }
            context.put("matrix", Map.of("size", size, "labels", labels, "rows", rows, "precisions",
                                         IntStream.range(0, size).mapToObj(k -> percent(classes.precision(k))).toList()));
            context.put("confusionNote", "A row for each true class, a column for each class the model said. “Found” is the "
                + "share of a class that was recognised, “right” the share of what was said that is true.");
        } else {
            context.put("matrix", false);
            context.put("confusionNote", pairs.isEmpty() ? "None of the " + size + " classes was taken for another."
                : "The most frequent confusions of the " + size + " classes.");
        }
        final boolean listed = size > MOST_COLUMNS && !pairs.isEmpty();
        context.put("hasPairs", listed);
        context.put("pairs", pairs.subList(0, Math.min(MOST_PAIRS, pairs.size())).stream().map(pair -> {
            final long count = classes.count(pair[0], pair[1]);
            return new Pair(labels.get(pair[0]), labels.get(pair[1]), grouped(count),
                            percent((double) count / classes.ofClass(pair[0])));
        }).toList());
        calibration(classes.calibration(), "Samples");
    }

    private void labels(Evaluation.Labels labels) {
        final List<LabelRow> rows = new ArrayList<>();
        for (int k = 0; k < labels.labels().size(); k++) {
            final Evaluation.Classes of = labels.of(k);
            rows.add(new LabelRow(labels.labels().get(k), grouped(of.ofClass(1)), percent(of.recall(1)), percent(of.precision(1)),
                                  percent(of.accuracy())));
        }
        page.put("labels", rows);
        calibration(labels.calibration(), "Labels");
    }

    private void calibration(Calibration calibration, String what) {
        page.put("calibration", Map.of("counted", what, "note", String.format(
            "When the model claims 90 %%, it should be right nine times out of ten: the dashed line. On average it is %.1f "
                + "points away from it.", 100 * calibration.error())));
        data.put("calibration", calibration.bins().stream()
            .map(bin -> new double[] {bin.claimed(), bin.right(), bin.samples()}).toList());
        final List<Object[]> confidence = new ArrayList<>();
        final long[] samples = calibration.samples();
        int first = 0;
        while (samples[first] == 0) first++;
        for (int bin = first; bin < samples.length; bin++)
            confidence.add(new Object[] {10 * bin + "–" + 10 * (bin + 1) + " %", samples[bin]});
        data.put("confidence", confidence);
    }

    private void quantities(List<Evaluation.Quantity> all) {
        final List<Evaluation.Quantity> shown = all.subList(0, Math.min(MOST_QUANTITIES, all.size()));
        final List<QuantityRow> rows = new ArrayList<>();
        final List<Map<String, Object>> charts = new ArrayList<>();
        for (Evaluation.Quantity quantity : shown) {
            rows.add(new QuantityRow(charts.size(), quantity.name(), (quantity.points().size() < quantity.samples()
                ? String.format("A sample of %,d of the %,d held-out samples. ", quantity.points().size(), quantity.samples())
                : "") + "A perfect model would put every point on the dashed line, and every difference in the middle."));
            charts.add(charts(quantity));
        }
        page.put("quantities", rows);
        page.put("several", shown.size() > 1);
        data.put("quantities", charts);
    }

    private static Map<String, Object> charts(Evaluation.Quantity quantity) {
        final Map<String, Object> data = new LinkedHashMap<>();
        final List<double[]> points = quantity.points();
        final double[] residuals = points.stream().mapToDouble(point -> point[0] - point[1]).sorted().toArray();
        data.put("scatter", points.stream().map(point -> new double[] {short4(point[1]), short4(point[0])}).toList());
        data.put("range", range(points));
        data.put("residuals", histogram(residuals));
        final List<double[]> sorted = new ArrayList<>(points);
        sorted.sort(Comparator.comparingDouble(point -> point[0]));
        final int groups = Math.min(GROUPS, sorted.size());
        final List<double[]> means = new ArrayList<>();
        for (int g = 0; g < groups; g++) {
            final List<double[]> group = sorted.subList(g * sorted.size() / groups, (g + 1) * sorted.size() / groups);
            means.add(new double[] {group.stream().mapToDouble(point -> point[0]).average().orElseThrow(),
                                    group.stream().mapToDouble(point -> point[1]).average().orElseThrow()});
        }
        data.put("groups", means);
        data.put("groupRange", range(means));
        return data;
    }

    private static double[] range(List<double[]> points) {
        double least = Double.POSITIVE_INFINITY, most = Double.NEGATIVE_INFINITY;
        for (double[] point : points)
            for (double value : point) {
                least = Math.min(least, value);
                most = Math.max(most, value);
            }
        final double margin = most > least ? 0.04 * (most - least) : Math.max(1, Math.abs(most));
        return new double[] {short4(least - margin), short4(most + margin)};
    }

    /** Bars of equal, round width, one of them around 0; what is beyond all but a hundredth counts in the last. */
    private static List<double[]> histogram(double[] sorted) {
        final int n = sorted.length, rare = n / 200;
        final double reach = Math.max(Math.abs(sorted[rare]), Math.abs(sorted[n - 1 - rare]));
        final double width = round(reach == 0 ? 1 : 2 * reach / RESIDUAL_BARS);
        final int half = (int) Math.ceil(reach / width);
        final double[] counts = new double[2 * half + 1];
        for (double value : sorted) counts[(int) Math.max(0, Math.min(2 * half, Math.rint(value / width) + half))]++;
        final List<double[]> bars = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) bars.add(new double[] {short4((i - half) * width), counts[i]});
        return bars;
    }

    /** The next of 1, 2, 5, 10, 20, … */
    private static double round(double value) {
        final double power = Math.pow(10, Math.floor(Math.log10(value))), digit = value / power;
        return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
    }

    /** Four digits that count: a page need not carry seventeen. */
    private static double short4(double value) {
        return value == 0 || !Double.isFinite(value) ? value
            : new BigDecimal(value).round(new MathContext(4)).doubleValue();
    }

    /** The weights into units of the first layer as images: blue pulls a unit down, red pushes it up. */
    void weights(Network network, int width, int height) {
        final int in = network.inputs(), units = network.layer(1).out(), first = network.weightsOffset(1);
        final float[] theta = network.parameters();
        final double[] strength = new double[units];
        for (int k = 0; k < units; k++)
            for (int i = 0; i < in; i++) strength[k] += Math.pow(theta[first + k * in + i], 2);
        final List<Tile> tiles = IntStream.range(0, units).boxed()
            .sorted(Comparator.comparingDouble((Integer k) -> -strength[k])).limit(MOST_TILES)
            .map(k -> new Tile(k, Picture.signed(theta, first + k * in, width, height))).toList();
        page.put("weights", tiles);
        page.put("weightsNote", (units <= MOST_TILES ? "The weights into each of its " + units + " units"
            : "The weights into " + MOST_TILES + " of its " + units + " units, the largest first") + ", laid out as the image "
            + "they look at: light on a red pixel excites the unit, on a blue one it inhibits it.");
    }

    /** The worst mistakes as pictures. */
    void pictures(Evaluation evaluation, int width, int height, LongFunction<float[]> pixels) {
        page.put("pictures", true);
        mistakes(evaluation, sample -> Picture.grey(pixels.apply(sample), width, height),
                 sample -> new Task.Row(sample + 1, List.of()));
    }

    /** The worst mistakes as rows of a table. */
    void rows(Evaluation evaluation, List<String> columns, LongFunction<Task.Row> rows) {
        page.put("pictures", false);
        page.put("columns", columns.subList(0, Math.min(MOST_FIELDS, columns.size())));
        mistakes(evaluation, sample -> "", rows);
    }

    private void mistakes(Evaluation evaluation, LongFunction<String> image, LongFunction<Task.Row> rows) {
        final boolean classes = evaluation instanceof Evaluation.Classes || evaluation instanceof Evaluation.Labels;
        page.put("mistakesTitle", classes ? "The worst mistakes" : "The largest errors");
        page.put("mistakesNote", classes ? "Where the model was wrong and most sure of it: what it said, and what is true."
            : "Where the prediction is farthest from the truth.");
        page.put("mistakes", evaluation.worst().stream().map(mistake -> {
            final Task.Row row = rows.apply(mistake.sample());
            return new Shown(row.line(), mistake.truth(), mistake.predicted(), mistake.about(), image.apply(mistake.sample()),
                             row.fields().subList(0, Math.min(MOST_FIELDS, row.fields().size())));
        }).toList());
    }

    /** Writes the page. */
    void write(Path file) throws IOException {
        page.put("facts", facts);
        page.put("configuration", configuration);
        page.put("curves", curves);
        data.put("curves", curves);
        page.put("hasCurves", !curves.isEmpty());
        page.put("hasWeights", page.containsKey("weights"));
        page.put("hasMistakes", page.get("mistakes") instanceof List<?> list && !list.isEmpty());
        page.putIfAbsent("warning", false);
        page.putIfAbsent("pictures", false);
        page.putIfAbsent("classes", false);
        page.putIfAbsent("labels", List.of());
        page.put("hasLabels", page.get("labels") instanceof List<?> list && !list.isEmpty());
        page.putIfAbsent("calibration", false);
        page.putIfAbsent("quantities", List.of());
        page.putIfAbsent("several", false);
        page.put("made", LocalDate.now().toString());
        page.put("css", resource("report.css"));
        page.put("js", resource("report.js"));
        page.put("echarts", resource("echarts/dist/echarts.common.min.js"));
        page.put("data", new Gson().newBuilder().serializeSpecialFloatingPointValues().create().toJson(data));
        Destination.write(file, part -> {
            try (Writer out = Files.newBufferedWriter(part)) {
                Mustache.compiler().escapeHTML(true).compile(resource("report.html")).execute(page, out);
            }
        });
    }

    private static String resource(String name) {
        try (InputStream in = Report.class.getResourceAsStream("report/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String grouped(long count) {
        return String.format("%,d", count);
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "–" : String.format("%.1f", 100 * share).replaceFirst("^100\\.0$", "100") + " %";
    }
}
