package dev.backblas.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Every entrant at every workload, by turns: each is a process of its own, for the native libraries of two would clash in one,
 * and all take a slice of time in each round, so that all meet the same weather on the machine. A ratio is the median of the
 * ratios of the rounds.
 *
 * @param workloads   what is measured
 * @param entrants    who takes part
 * @param rounds      the slices of each
 * @param seconds     the length of a slice
 * @param environment variables of all their processes; an empty value unsets one
 * @param beside      whether ours is measured a second time, while a foreign process burns a core
 */
public record Comparison(List<Workload> workloads, List<Entrant> entrants, int rounds, double seconds,
                         Map<String, String> environment, boolean beside) {

    /** Added to the id of an entrant that was measured beside a busy process. */
    static final String BESIDE = " beside a busy process";

    /** Seconds before the first round: a Java compiler wants one or two. */
    private static final double WARM_UP = 2;

    /**
     * Measures, tells the medians as it goes, and prints the tables.
     *
     * @param command what the reader of the report is to type
     * @param out     the directory of {@code comparison.md}, {@code .svg} and {@code .csv}, and of the logs of all processes
     * @return what was measured
     * @throws IllegalStateException if an entrant fails, with what it said
     */
    public Results run(String command, PrintStream console, Path out) throws IOException {
        Files.createDirectories(out);
        final Results results = measure(console, out);
        final Report report = new Report(results);
        final String text = report.markdown(command, environment);
        console.println("\n" + text);
        Files.writeString(out.resolve("comparison.md"), text);
        results.write(out.resolve("comparison.csv"));
        if (results.ids().map(Entrant::name).distinct().count() > 1) // one alone has no multiple
            Charts.write(report.chart(), out.resolve("comparison.svg"));
        return results;
    }

    private Results measure(PrintStream console, Path logs) throws IOException {
        final Results results = new Results();
        for (Workload workload : workloads) {
            console.println(workload + " " + workload.title());
            final List<Rival> rivals = new ArrayList<>();
            try {
                for (Entrant entrant : entrants) {
                    if (!entrant.enters().contains(workload)) continue;
                    final Rival rival = new Rival(entrant, workload, environment, logs.resolve(entrant.id() + ".log"));
                    rivals.add(rival);
                    rival.slice(WARM_UP);
                    results.describe(entrant, rival.description());
                }
                for (int round = 0; round < rounds; round++)
                    for (Rival rival : rivals) results.add(workload, rival.id(), rival.slice(seconds));
                if (beside) besideBusyProcess(workload, rivals, results);
            } finally {
                rivals.forEach(Rival::close);
            }
            results.of(workload).forEach((id, rates) ->
                console.printf(Locale.ROOT, "  %-30s %,14.0f samples/s%n", id, Results.median(rates)));
        }
        return results;
    }

    private void besideBusyProcess(Workload workload, List<Rival> rivals, Results results) throws IOException {
        final Process busy = new ProcessBuilder("sh", "-c", "while :; do :; done").start();
        try {
            for (int round = 0; round < rounds; round++)
                for (Rival rival : rivals)
                    if (rival.isOurs()) results.add(workload, rival.id() + BESIDE, rival.slice(seconds));
        } finally {
            busy.destroyForcibly();
        }
    }
}
