package dev.backblas.benchmarks;

import static dev.backblas.benchmarks.Entrant.FLOOR;
import static dev.backblas.benchmarks.Entrant.JAVA;
import static dev.backblas.benchmarks.Entrant.NETLIB;
import static dev.backblas.benchmarks.Entrant.OURS;
import static dev.backblas.benchmarks.Entrant.PYTORCH;
import static dev.backblas.benchmarks.Entrant.VECTOR;
import static dev.backblas.benchmarks.Workload.I1;
import static dev.backblas.benchmarks.Workload.I2;
import static dev.backblas.benchmarks.Workload.W1;
import static dev.backblas.benchmarks.Workload.W2;
import static dev.backblas.benchmarks.Workload.W3;
import static dev.backblas.benchmarks.Workload.W4;
import static dev.backblas.benchmarks.Workload.W5;
import static dev.backblas.benchmarks.Workload.W6;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.knowm.xchart.CategoryChart;

/** The results of a comparison as tables in Markdown, each ratio beside its goal. */
final class Report {

    /** Against the bare sgemm calls of the step, one thread. */
    private static final Map<Workload, Double> TIMES_FLOOR =
        Map.of(W1, 1.0, W2, 1.0, W3, 1.8, W4, 1.8, W5, 2.5, W6, 1.05, I1, 4.0, I2, 1.0);
    /** All threads against PyTorch at its better number of threads. */
    private static final Map<Workload, Double> TIMES_PYTORCH =
        Map.of(W1, 2.2, W2, 1.4, W3, 20.0, W4, 250.0, W5, 1000.0, W6, 2.2, I1, 4.0, I2, 1.3);
    private static final double TIMES_OTHER_PEERS = 1;
    /** All threads against one; {@link #NO_SLOWER} where the work is small. */
    private static final Map<Workload, Double> TIMES_ONE_THREAD = Map.of(W1, 1.6, W2, 1.6, W6, 1.6, I2, 1.6);
    private static final double NO_SLOWER = 0.95;
    private static final double BESIDE_A_BUSY_PROCESS = 0.9;
    /** Pure Java against OpenBLAS, with the Vector API and without. */
    private static final Map<Workload, Double> VECTOR_TIMES_OURS = Map.of(W1, 0.7, W2, 0.7, W6, 0.7);
    private static final Map<Workload, Double> JAVA_TIMES_OURS = Map.of(W1, 0.4, W2, 0.4, W6, 0.4);

    private final Results results;
    private final String oursOnAll; // ours at the most threads

    Report(Results results) {
        this.results = results;
        oursOnAll = results.ids().filter(id -> Entrant.name(id).equals(OURS)).reduce((first, last) -> last).orElse(OURS);
    }

    String markdown(String command, Map<String, String> environment) {
        final String settings = environment.entrySet().stream()
            .map(e -> e.getValue().isEmpty() ? "without " + e.getKey() : e.getKey() + "=" + e.getValue())
            .collect(Collectors.joining(", "));
        final String who = results.descriptions().entrySet().stream()
            .map(e -> "- " + e.getKey() + ": " + String.join("; ", e.getValue()) + "\n").collect(Collectors.joining());
        final String head = "`" + command + "`: medians, " + Machine.description()
            + (settings.isEmpty() ? "" : ", " + settings) + ".\n\n" + who;
        return Stream.of(head, floor(), peers(), threads(), pureJava(), everything()).filter(table -> !table.isEmpty())
            .collect(Collectors.joining("\n"));
    }

    /** How many times as fast as bare sgemm (else as ours, else as the first) all are, each at its better number of threads. */
    CategoryChart chart() {
        final List<Workload> groups = List.copyOf(results.workloads());
        final List<String> ids = results.ids().toList();
        final String unit = ids.contains(FLOOR) ? FLOOR : ids.contains(OURS) ? OURS : ids.get(0);
        final Map<String, List<Double>> series = new LinkedHashMap<>();
        ids.stream().map(Entrant::name).distinct().filter(name -> !name.equals(unit)).forEach(name ->
            series.put(name, groups.stream().map(w -> results.ratio(w, best(w, List.of(name)), unit))
                .map(ratio -> ratio.isNaN() ? null : ratio).toList()));
        return Charts.bars("Samples a second, as a multiple of " + (unit.equals(FLOOR) ? "bare sgemm, one thread" : unit),
                           groups.stream().map(Workload::name).toList(), series);
    }

    private String floor() {
        return table("One thread against bare sgemm", "the sgemm calls of a step, samples/s | ours, samples/s | ratio | goal",
                     having(OURS, FLOOR),
                     w -> rate(w, FLOOR) + rate(w, OURS) + ratio(results.ratio(w, OURS, FLOOR), TIMES_FLOOR.get(w)));
    }

    private String peers() {
        return table("Against the peers, each at its better number of threads",
                     "ours, samples/s | PyTorch | ratio | goal | best other peer | | ratio | goal",
                     having(oursOnAll, PYTORCH), w -> {
                         final String pytorch = best(w, List.of(PYTORCH)), other = best(w, Entrant.OTHER_PEERS);
                         return rate(w, oursOnAll) + rate(w, pytorch)
                             + ratio(results.ratio(w, oursOnAll, pytorch), TIMES_PYTORCH.get(w))
                             + cell(other) + rate(w, other) + ratio(results.ratio(w, oursOnAll, other), TIMES_OTHER_PEERS);
                     });
    }

    private String threads() {
        if (oursOnAll.equals(OURS)) return ""; // one is all
        return table("All threads against one",
                     "one, samples/s | all, samples/s | ratio | goal | ratio beside a busy process | goal",
                     having(OURS, oursOnAll), w -> {
                         final double beside =
                             results.ratio(w, oursOnAll + Comparison.BESIDE, OURS + Comparison.BESIDE);
                         return rate(w, OURS) + rate(w, oursOnAll)
                             + ratio(results.ratio(w, oursOnAll, OURS), TIMES_ONE_THREAD.getOrDefault(w, NO_SLOWER))
                             + ratio(beside, BESIDE_A_BUSY_PROCESS);
                     });
    }

    private String pureJava() {
        return table("Pure Java against OpenBLAS, one thread",
                     "OpenBLAS, samples/s | with the Vector API | ratio | goal | without a flag | ratio | goal | netlib's BLAS",
                     having(OURS, JAVA),
                     w -> rate(w, OURS)
                         + rate(w, VECTOR) + ratio(results.ratio(w, VECTOR, OURS), VECTOR_TIMES_OURS.get(w))
                         + rate(w, JAVA) + ratio(results.ratio(w, JAVA, OURS), JAVA_TIMES_OURS.get(w))
                         + rate(w, NETLIB));
    }

    private String everything() {
        final List<String> ids = results.ids().toList();
        return table("Everyone, samples/s", String.join(" | ", ids), results.workloads(),
                     w -> ids.stream().map(id -> rate(w, id)).collect(Collectors.joining()));
    }

    /** The workloads at which both were measured. */
    private List<Workload> having(String entrant, String other) {
        return results.workloads().stream()
            .filter(w -> results.of(w).keySet().containsAll(List.of(entrant, other))).toList();
    }

    /** The fastest of these, at whatever number of threads; or a dash. */
    private String best(Workload workload, List<String> names) {
        return results.ids().filter(results.of(workload)::containsKey)
            .filter(id -> names.contains(Entrant.name(id)))
            .max(Comparator.comparing(id -> results.rate(workload, id))).orElse("–");
    }

    private static String table(String title, String columns, Collection<Workload> rows, Function<Workload, String> cells) {
        if (rows.isEmpty()) return "";
        final List<String> lines = new ArrayList<>(List.of("#### " + title, "", "| workload | " + columns + " |"));
        lines.add("|---" + "|---:".repeat(columns.split("\\|", -1).length) + "|");
        for (Workload row : rows) lines.add("| " + row + " " + row.title() + cells.apply(row) + " |");
        return String.join("\n", lines) + "\n";
    }

    private String rate(Workload workload, String entrant) {
        return cell(figure(results.rate(workload, entrant)));
    }

    /** Two cells: the ratio, and the goal with a word if it was missed. */
    private static String ratio(double ratio, Double goal) {
        final String measured = Double.isNaN(ratio) ? "–" : String.format(Locale.ROOT, ratio < 10 ? "%.2f" : "%.0f", ratio);
        if (goal == null) return cell(measured) + cell("");
        return cell(measured) + cell("≥ " + goal + (ratio < goal ? ", missed" : ""));
    }

    private static String cell(String text) {
        return " | " + text;
    }

    /** Three digits: there is no more in a short run. */
    static String figure(double value) {
        if (Double.isNaN(value)) return "–";
        return String.format(Locale.ROOT, "%,.0f", new BigDecimal(value).round(new MathContext(3)));
    }
}
