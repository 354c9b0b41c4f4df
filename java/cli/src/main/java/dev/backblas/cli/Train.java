package dev.backblas.cli;

import dev.backblas.History;
import dev.backblas.Network;
import dev.backblas.Preset;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Trains a network on data, says how well it does on samples it has not seen, and writes the model. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Train a network, print how well it does on held-out data, write the model.",
         footer = "%nCtrl-C ends training after the batch at hand; the model, the report and the checkpoint are written all the "
             + "same.")
final class Train implements Callable<Integer> {

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "DATA",
                description = "A CSV file with a header line, gzipped or not (- for standard input); a directory of IDX files, "
                    + "such as MNIST; digits or boston, which come with Backblas. digits unless set.")
    private @Nullable String data;

    @Option(names = "--data", paramLabel = "DIR", description = "The same as DATA, for a directory of IDX files.")
    private @Nullable Path directory;

    @ArgGroup(validate = false, heading = "%nThe table:%n")
    private final TableOptions table = new TableOptions();

    @ArgGroup(validate = false, heading = "%nThe network:%n")
    private final Recipe.Shape shape = new Recipe.Shape();

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final Recipe.Settings how = new Recipe.Settings();

    @ArgGroup(validate = false, heading = "%nWhat comes of it:%n")
    private final OutputOptions output = new OutputOptions();

    private static final class TableOptions {
        @Option(names = "--target", paramLabel = "COLUMN",
                description = "The column to learn, the last unless set; or several, a,b: quantities, or labels where all hold 1 "
                    + "and 0.")
        private @Nullable String target;

        @Option(names = "--drop", paramLabel = "COLUMN", split = ",", description = "Columns to leave out.")
        private List<String> drop = List.of();

        @Option(names = "--text", paramLabel = "COLUMN", split = ",",
                description = "Columns whose numbers are names, such as a postal code.")
        private List<String> text = List.of();

        @Option(names = "--weight", paramLabel = "COLUMN", description = "The column that says what each row counts for.")
        private @Nullable String weight;

        @Option(names = "--stream", description = "Leave the rows in the file, which may be larger than memory: it is read once "
            + "more in each epoch. Rows that are sorted are to be shuffled before.")
        private boolean stream;
    }

    private static final class OutputOptions {
        @Option(names = "--out", paramLabel = "FILE", description = "Where to write the model; DATA.safetensors unless set.")
        private @Nullable Path out;

        @Option(names = "--report", paramLabel = "FILE", description = "Write a page about the run, for a browser.")
        private @Nullable Path report;

        @Option(names = "--checkpoint", paramLabel = "FILE", description = "Write where training is after every epoch.")
        private @Nullable Path checkpoint;

        @Option(names = "--resume", paramLabel = "FILE",
                description = "Go on from a checkpoint, with the same data and settings.")
        private @Nullable Path resume;

        @Option(names = "--json", description = "A JSON object a line instead of text: start, each epoch, end.")
        private boolean json;
    }

    @Override
    public Integer call() throws IOException {
        requireDifferentFiles();
        if (output.out != null) Destination.of(output.out, "the model");
        if (output.report != null) Destination.of(output.report, "the report");
        if (output.checkpoint != null) Destination.of(output.checkpoint, "the checkpoint");
        final Backend backend = how.backend();
        final Task task = task();
        final Path file = output.out == null ? Path.of(task.name() + ".safetensors") : output.out;
        final Path written = Destination.of(file, "the model");
        final Recipe recipe = Recipe.of(shape, how, task);
        final Network network = recipe.network(task.heldOut().inputs(), backend);
        final Log log = new Log(task, recipe.epochs(), output.json);
        try (Training training = Training.of(task, recipe, network, log, output.checkpoint)) {
            final int done = output.resume == null ? 0 : ((Training.InMemory) training).resume(output.resume);
            final Summary summary = new Summary(task, recipe, network, training.threads(), file, output.json);
            summary.begin(done);
            try (Interruption interruption = new Interruption(training::cancel)) {
                log.begin(training.unit());
                final List<History.Epoch> history;
                try {
                    history = training.run();
                } finally {
                    log.close();
                }
                final boolean stopped = interruption.isRequested();
                training.save(written); // before anything else can fail
                final Evaluation evaluation = training.model().evaluate(task.heldOut());
                summary.end(evaluation, history, stopped, LeastSquares.rootMeanSquaredError(task), written, output.checkpoint);
                if (output.report != null) {
                    summary.report(training.model(), evaluation, history, stopped, training.unit(), typed())
                        .write(Destination.of(output.report, "the report"));
                    if (!output.json) System.out.printf("wrote %s, a page for a browser%n", output.report);
                }
            }
        }
        return 0;
    }

    private String typed() {
        return "./backblas " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs());
    }

    // ---- What is asked for

    /** Nothing is to be written over the data, or over another thing that is written. */
    private void requireDifferentFiles() throws IOException {
        final Map<Path, String> taken = new HashMap<>();
        final Map<String, Path> wanted = new LinkedHashMap<>();
        wanted.put("--out", output.out);
        wanted.put("--report", output.report);
        wanted.put("--checkpoint", output.checkpoint);
        for (Map.Entry<String, Path> option : wanted.entrySet()) {
            if (option.getValue() == null) continue;
            final Path file = option.getValue();
            if (data != null) Destination.requireOther(file, data);
            final String other =
                taken.putIfAbsent(Files.exists(file) ? file.toRealPath() : file.toAbsolutePath().normalize(), option.getKey());
            if (other != null)
                throw new IllegalArgumentException(
                    "train: " + option.getKey() + " " + file + " is the same file as " + other + "; expected another");
        }
    }

    private Task task() throws IOException {
        if (directory != null) {
            if (data != null)
                throw new IllegalArgumentException(
                    "train: both " + data + " and --data " + directory + " are given; expected one");
            return images(directory);
        }
        final String name = data != null ? data : shape.system == Preset.REGRESSION ? "boston" : "digits";
        final Path file = Path.of(name);
        if (Files.isDirectory(file)) return images(file);
        final Task.Columns columns = new Task.Columns(table.target, table.drop, table.text, table.weight);
        if (Tables.isBundled(name) && !Files.exists(file)) {
            if (table.target != null)
                throw new IllegalArgumentException("train: --target is for CSV files; " + name + " has its own");
            if (table.stream) throw new IllegalArgumentException("train: --stream is for CSV files; " + name + " is small");
            if (name.equals("digits")) requireNoTable(name);
            return name.equals("digits") ? Task.digits(shape.system, how.seed)
                : Task.table(name, Tables.bundled(name), columns, shape.system, how.seed, false);
        }
        if (!Files.exists(file) && !name.contains(".") && !name.contains("/") && !name.equals("-"))
            throw new IllegalArgumentException("train: there is no data set and no file '" + name
                + "'; expected digits, boston, a CSV file or a directory of IDX files"
                + Choice.meant(name, List.of("digits", "boston")));
        if (table.stream) requireStreamable();
        return Task.table(name.equals("-") ? Tables.STANDARD_INPUT : name, Tables.file(name), columns, shape.system, how.seed,
                          table.stream);
    }

    private void requireStreamable() {
        final String option = shape.system != null ? "--system" : how.patience != null ? "--patience"
            : output.checkpoint != null ? "--checkpoint" : output.resume != null ? "--resume" : null;
        if (option != null)
            throw new IllegalArgumentException(
                "train: " + option + " is for data in memory; expected it without --stream");
    }

    private Task images(Path directory) throws IOException {
        if (shape.system == Preset.REGRESSION)
            throw new IllegalArgumentException("train: regression is for tables; expected another --system for images");
        requireNoTable(directory.toString());
        return Task.images(directory, shape.system);
    }

    private void requireNoTable(String images) {
        final String option = table.target != null ? "--target" : !table.drop.isEmpty() ? "--drop"
            : !table.text.isEmpty() ? "--text" : table.weight != null ? "--weight" : table.stream ? "--stream" : null;
        if (option != null)
            throw new IllegalArgumentException(
                "train: " + option + " is for tables; " + images + " holds images, with labels of their own");
    }
}
