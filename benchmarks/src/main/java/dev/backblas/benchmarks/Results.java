package dev.backblas.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The samples per second of every round, by workload and entrant. */
public final class Results {

    /** Sees what one entrant did at one workload: the samples per second of each round, and their median. */
    @FunctionalInterface
    public interface Visitor {
        /** @param entrant such as {@code ours x2} */
        void entrant(Workload workload, String entrant, double median, List<Double> rounds);
    }

    private final Map<Workload, Map<String, List<Double>>> rates = new EnumMap<>(Workload.class);
    private final Map<String, Set<String>> descriptions = new LinkedHashMap<>();

    Results() {}

    void add(Workload workload, String entrant, double samplesPerSecond) {
        rates.computeIfAbsent(workload, w -> new LinkedHashMap<>()).computeIfAbsent(entrant, e -> new ArrayList<>())
            .add(samplesPerSecond);
    }

    /** Notes what an entrant says of itself. */
    void describe(Entrant entrant, String description) {
        if (!description.isEmpty()) descriptions.computeIfAbsent(entrant.name(), e -> new TreeSet<>()).add(description);
    }

    /** By name, in the order of their turns. */
    Map<String, Set<String>> descriptions() {
        return descriptions;
    }

    Collection<Workload> workloads() {
        return rates.keySet();
    }

    /** Shows everyone, in the order of their turns. */
    public void forEach(Visitor visitor) {
        rates.forEach((workload, entrants) ->
            entrants.forEach((entrant, rounds) -> visitor.entrant(workload, entrant, median(rounds), List.copyOf(rounds))));
    }

    /** By entrant, in the order of their turns. */
    Map<String, List<Double>> of(Workload workload) {
        return rates.getOrDefault(workload, Map.of());
    }

    /** Everyone who was measured at some workload and not beside a busy process, in the order of their turns. */
    Stream<String> ids() {
        return rates.values().stream().flatMap(entrants -> entrants.keySet().stream()).distinct()
            .filter(id -> !id.endsWith(Comparison.BESIDE));
    }

    /** The median; NaN if the entrant was not measured. */
    double rate(Workload workload, String entrant) {
        return median(of(workload).getOrDefault(entrant, List.of()));
    }

    /** How many times as fast as another, the median of the rounds; NaN unless both were measured. */
    double ratio(Workload workload, String entrant, String other) {
        final List<Double> a = of(workload).getOrDefault(entrant, List.of()), b = of(workload).getOrDefault(other, List.of());
        return median(IntStream.range(0, Math.min(a.size(), b.size())).mapToObj(i -> a.get(i) / b.get(i)).toList());
    }

    static double median(List<Double> values) {
        if (values.isEmpty()) return Double.NaN;
        final List<Double> sorted = values.stream().sorted().toList();
        final int n = sorted.size();
        return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }

    /** Writes every figure: {@code workload,entrant,round,samples per second}. */
    void write(Path csv) throws IOException {
        final List<String> lines = new ArrayList<>(List.of("workload,entrant,round,samples per second"));
        rates.forEach((workload, entrants) -> entrants.forEach((entrant, rounds) -> {
            for (int i = 0; i < rounds.size(); i++)
                lines.add(workload + "," + entrant + "," + (i + 1) + "," + Math.round(rounds.get(i)));
        }));
        Files.write(csv, lines);
    }
}
