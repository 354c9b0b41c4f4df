package dev.backblas.cli;

import dev.backblas.benchmarks.Comparison;
import dev.backblas.benchmarks.Entrant;
import dev.backblas.benchmarks.Epochs;
import dev.backblas.benchmarks.Growth;
import dev.backblas.benchmarks.Pauses;
import dev.backblas.benchmarks.Results;
import dev.backblas.benchmarks.Speedup;
import dev.backblas.benchmarks.StartUp;
import dev.backblas.benchmarks.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** The measurements that the README shows, on this machine. */
@Command(name = "bench", mixinStandardHelpOptions = true,
         description = "Measure training and prediction on this machine: ours, bare sgemm and pure Java by turns.")
final class Bench implements Callable<Integer> {

    /** The project, as the launcher found it. */
    private static final Path HOME = Path.of(System.getProperty("backblas.home", "."));

    /** Of the samples of a step, in one layer: 256 MB. */
    private static final int MOST_VALUES = 1 << 26;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(names = "--peers", description = "The peers too; fetches 400 MB from Maven Central on first use.")
    private boolean peers;

    @Option(names = "--workloads", split = ",", paramLabel = "NAME", description = "Some of ${COMPLETION-CANDIDATES}.")
    private Set<Workload> workloads = EnumSet.allOf(Workload.class);

    @Option(names = "--contenders", split = ",", paramLabel = "NAME",
            description = "Some of floor, kernels, ours, java-vector, java, netlib; with --peers: jniblas, pytorch, dl4j, "
                + "onnxruntime, smile.")
    private Set<String> contenders = Set.of();

    @Option(names = "--threads", paramLabel = "N", description = "The most threads; all processors unless set.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--rounds", paramLabel = "N", description = "Slices of each contender; ${DEFAULT-VALUE} unless set.")
    private int rounds = 25; // the ratios of one move by a tenth, the median of 25 by 2 %

    @Option(names = "--slice", paramLabel = "SECONDS", description = "Length of a slice; ${DEFAULT-VALUE} unless set.")
    private double slice = 0.3;

    @Option(names = "-E", paramLabel = "NAME=VALUE", mapFallbackValue = "",
            description = "A variable of all contenders' environment; with no value it is unset.")
    private Map<String, String> environment = new LinkedHashMap<>();

    @Option(names = "--beside-busy", description = "Ours once more, while a foreign process burns a core.")
    private boolean besideBusy;

    @Option(names = "--out", paramLabel = "DIR", scope = ScopeType.INHERIT, description = "Where tables, charts and logs go.")
    private Path out = HOME.resolve("benchmarks/target/results");

    @Option(names = "--json", description = "A JSON object for each workload and contender instead of tables.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        requireAtLeastOne("--threads", threads);
        requireAtLeastOne("--rounds", rounds);
        if (!(slice > 0 && slice <= 60))
            throw new IllegalArgumentException("bench: --slice is " + slice + "; expected more than 0 and at most 60 seconds");
        final List<Entrant> all = Entrant.all(HOME, threads, peers);
        final List<String> names = all.stream().map(Entrant::name).distinct().toList();
        for (String contender : contenders)
            if (!names.contains(contender))
                throw new IllegalArgumentException("bench: '" + contender + "' takes no part here; expected "
                    + Choice.expected(contender, names) + (peers ? "" : " (--peers brings more)"));
        final List<Entrant> entrants =
            all.stream().filter(entrant -> contenders.isEmpty() || contenders.contains(entrant.name())).toList();
        final Results results = new Comparison(List.copyOf(workloads), entrants, rounds, slice, environment, besideBusy)
            .run(typed(), json ? System.err : System.out, out);
        if (json)
            results.forEach((workload, contender, median, rates) -> Json.print("workload", workload.name(), "title",
                workload.title(), "contender", contender, "samples_per_second", median, "rounds", rates));
        return 0;
    }

    private static void requireAtLeastOne(String option, int value) {
        if (value < 1) throw new IllegalArgumentException("bench: " + option + " is " + value + "; expected 1 or more");
    }

    @Command(mixinStandardHelpOptions = true, description = "An epoch of mini-batches against steps on a resident batch.")
    int epochs(@Option(names = "--rounds", paramLabel = "N", defaultValue = "3") int rounds) {
        requireAtLeastOne("--rounds", rounds);
        Epochs.run(rounds, System.out);
        return 0;
    }

    @Command(mixinStandardHelpOptions = true,
             description = "How long a thread that allocates is held up by training beside it, and what a step allocates.")
    int pauses(@Option(names = "--rounds", paramLabel = "N", defaultValue = "3") int rounds) {
        requireAtLeastOne("--rounds", rounds);
        Pauses.run(rounds, System.out);
        return 0;
    }

    @Command(mixinStandardHelpOptions = true,
             description = "Time from java to the first prediction of a loaded model, and memory.")
    int startup(@Option(names = "--rounds", paramLabel = "N", defaultValue = "11") int rounds) throws IOException {
        requireAtLeastOne("--rounds", rounds);
        StartUp.run(rounds, System.out);
        return 0;
    }

    @Command(mixinStandardHelpOptions = true,
             description = "GFLOP/s over width, depth, batch and threads, as charts.")
    int growth() throws IOException {
        Growth.run(HOME, System.out, out);
        return 0;
    }

    @Command(mixinStandardHelpOptions = true,
             description = "How many times as fast all threads take a step of a network as one does.")
    int speedup(@Parameters(paramLabel = "UNITS", arity = "1..*", description = "Networks, such as 784-128-10.")
                List<String> networks,
                @Option(names = "--batch", split = ",", paramLabel = "M", defaultValue = "128",
                        description = "The samples of a step; ${DEFAULT-VALUE} unless set.") int[] batches) {
        final List<int[]> units = networks.stream().map(Bench::units).toList();
        for (int batch : batches) {
            requireAtLeastOne("--batch", batch);
            for (int[] n : units)
                if ((long) batch * IntStream.of(n).max().getAsInt() > MOST_VALUES)
                    throw new IllegalArgumentException("bench speedup: a batch of " + batch + " samples of "
                        + IntStream.of(n).max().getAsInt() + " values; expected at most " + MOST_VALUES + " values in all");
        }
        Speedup.run(units, batches, System.out);
        return 0;
    }

    private static int[] units(String network) {
        if (!network.matches("[1-9][0-9]{0,5}(-[1-9][0-9]{0,5})+"))
            throw new IllegalArgumentException("bench speedup: the network is '" + network
                + "'; expected the units of its layers, inputs first, such as 784-128-10");
        return Stream.of(network.split("-")).mapToInt(Integer::parseInt).toArray();
    }

    /** What was typed to come here. */
    private String typed() {
        return "./backblas " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs());
    }
}
