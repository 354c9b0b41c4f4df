package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.History;
import dev.backblas.Loss;
import dev.backblas.Loss.Reduction;
import dev.backblas.MlpClassifier;
import dev.backblas.MlpRegressor;
import dev.backblas.Network;
import dev.backblas.Optimizer;
import dev.backblas.Preset;
import dev.backblas.Scaler;
import dev.backblas.Schedule;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
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
    private final NetworkOptions net = new NetworkOptions();

    @ArgGroup(validate = false, heading = "%nTraining:%n")
    private final TrainingOptions how = new TrainingOptions();

    @ArgGroup(validate = false, heading = "%nWhat comes of it:%n")
    private final OutputOptions output = new OutputOptions();

    private static final class TableOptions {
        @Option(names = "--target", paramLabel = "COLUMN", description = "The column to learn; the last unless set.")
        private @Nullable String target;

        @Option(names = "--drop", paramLabel = "COLUMN", split = ",", description = "Columns to leave out.")
        private List<String> drop = List.of();

        @Option(names = "--text", paramLabel = "COLUMN", split = ",",
                description = "Columns whose numbers are names, such as a postal code.")
        private List<String> text = List.of();

        @Option(names = "--weight", paramLabel = "COLUMN", description = "The column that says what each row counts for.")
        private @Nullable String weight;
    }

    private static final class NetworkOptions {
        @Option(names = "--system", paramLabel = "NAME",
                description = "One of the five systems: regression, softmax, binary, quadratic, deep. Unless set, what the "
                    + "target asks for, with Adam.")
        private @Nullable Preset system;

        @Option(names = "--hidden", paramLabel = "N,N",
                description = "The units of each hidden layer, such as 100,50; none for no hidden layer. 100 unless set.")
        private @Nullable String hidden;

        @Option(names = "--activation", paramLabel = "NAME",
                description = "Of the hidden layers: identity, sigmoid, tanh, relu, leaky_relu, gelu, silu, elu or softplus. "
                    + "relu unless set.")
        private @Nullable Activation activation;
    }

    private static final class TrainingOptions {
        @Option(names = "--epochs", paramLabel = "N", description = "How often to go through the data.")
        private @Nullable Integer epochs;

        @Option(names = "--batch", paramLabel = "N", description = "The samples of a step.")
        private @Nullable Integer batch;

        @Option(names = "--optimizer", paramLabel = "NAME",
                description = "sgd, momentum, nesterov, rmsprop, adam or adamw. adam unless set.")
        private @Nullable String optimizer;

        @Option(names = "--rate", paramLabel = "X", description = "The learning rate.")
        private @Nullable Double rate;

        @Option(names = "--schedule", paramLabel = "NAME",
                description = "How the rate changes: constant, cosine (to a hundredth at the end), step (by ten, twice) or "
                    + "plateau. constant unless set.")
        private @Nullable String schedule;

        @Option(names = "--l2", paramLabel = "X", description = "Lambda of the penalty (lambda/2n) sum of W^2.")
        private @Nullable Double l2;

        @Option(names = "--l1", paramLabel = "X", description = "Lambda of the penalty (lambda/n) sum of |W|.")
        private @Nullable Double l1;

        @Option(names = "--dropout", paramLabel = "P",
                description = "The probability with which a hidden unit drops out of a step.")
        private @Nullable Double dropout;

        @Option(names = "--input-dropout", paramLabel = "P",
                description = "The same of an input, often smaller.")
        private @Nullable Double inputDropout;

        @Option(names = "--clip", paramLabel = "X", description = "The largest norm of a gradient.")
        private @Nullable Double clip;

        @Option(names = "--patience", paramLabel = "N",
                description = "End after so many epochs that did not lower the loss on a tenth of the training data, kept for "
                    + "that, and take the best epoch.")
        private @Nullable Integer patience;

        @Option(names = "--threads", paramLabel = "N", description = "The most threads for a step; all processors unless set.")
        private @Nullable Integer threads;

        @Option(names = "--seed", paramLabel = "N", description = "Of the split, the weights and the shuffle; 1 unless set.")
        private long seed = 1;

        @Option(names = "--backend", paramLabel = "NAME",
                description = "openblas, java, or auto for the faster one that is there.")
        private @Nullable String backend;
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

    /** What is trained, and how, where nothing is said. */
    private record Recipe(String name, int[] widths, Activation hidden, Activation last, int outputs, Loss loss,
                          Reduction reduction, String optimizer, int epochs, int batch, double rate, double l2) {

        /** Steps that make a good model of tables and small images, if the data are neither tiny nor huge. */
        private static final int STEPS = 20_000;
        private static final int BATCH = 32;

        static Recipe of(@Nullable Preset preset, Task task) {
            final int classes = task.labels().size();
            if (preset != null) {
                final Activation last = preset == Preset.REGRESSION ? Activation.IDENTITY
                    : preset == Preset.SOFTMAX ? Activation.SOFTMAX : Activation.SIGMOID;
                final int outputs = preset == Preset.REGRESSION || preset == Preset.BINARY ? 1 : classes;
                return switch (preset) {
                    case REGRESSION -> of(preset, last, outputs, 200, 32, 0.003, 0);
                    case SOFTMAX -> of(preset, last, outputs, 40, 16, 0.2, 0.2);
                    case BINARY -> of(preset, last, outputs, 100, 32, 1, 0);
                    case QUADRATIC -> of(preset, last, outputs, 30, 10, 0.3, 0);
                    case DEEP -> of(preset, last, outputs, 60, 10, 0.3, 0);
                };
            }
            final int epochs = Math.max(10, Math.min(100, (int) ((long) STEPS * BATCH / task.train().size())));
            final int[] widths = {100};
            if (classes == 0)
                return new Recipe("regressor", widths, Activation.RELU, Activation.IDENTITY, 1, Loss.SQUARED_ERROR,
                                  Reduction.MEAN, "adam", epochs, BATCH, 0.001, 0);
            final boolean two = classes == 2;
            return new Recipe("classifier", widths, Activation.RELU, two ? Activation.SIGMOID : Activation.SOFTMAX,
                              two ? 1 : classes, two ? Loss.BINARY_CROSS_ENTROPY : Loss.CROSS_ENTROPY, Reduction.MEAN, "adam",
                              epochs, BATCH, 0.001, 0);
        }

        private static Recipe of(Preset preset, Activation last, int outputs, int epochs, int batch, double rate, double l2) {
            return new Recipe(preset.name().toLowerCase(Locale.ROOT), preset.widths(), preset.hidden(), last, outputs,
                              preset.loss(), preset.reduction(), "sgd", epochs, batch, rate, l2);
        }
    }

    /** What came of training: the model, and how to write it. */
    private record Made(Model model, Saving saving) {}

    @FunctionalInterface
    private interface Saving {
        void to(Path file) throws IOException;
    }

    @Override
    public Integer call() throws IOException {
        if (output.out != null) Destination.of(output.out, "the model");
        if (output.report != null) Destination.of(output.report, "the report");
        if (output.checkpoint != null) Destination.of(output.checkpoint, "the checkpoint");
        final Backend backend = how.backend == null ? Backend.fastest() : Backend.named(how.backend);
        final Task task = task();
        final Path file = output.out == null ? Path.of(task.name() + ".safetensors") : output.out;
        final Path written = Destination.of(file, "the model");
        final Recipe recipe = Recipe.of(net.system, task);
        final int epochs = how.epochs == null ? recipe.epochs : how.epochs;
        if (epochs < 1) throw new IllegalArgumentException("train: --epochs is " + epochs + "; expected 1 or more");
        final Network network = network(task, recipe, backend);
        final @Nullable Scaling target = task.isRegression() ? Scaling.standardizing(task.train())[1] : null;
        final int classes = recipe.outputs > 1 ? recipe.outputs : 0;
        final Dataset train = new Encoded(task.train(), task.inputs(), target, classes);
        final Dataset heldOut = new Encoded(task.heldOut(), task.inputs(), target, classes);

        final double unit = target == null ? 1 : target.deviation()[0];
        final Log log = new Log(task, epochs, unit, output.json);
        final Optimizer optimizer = optimizer(how.optimizer == null ? recipe.optimizer : how.optimizer);
        final double rate = how.rate == null ? recipe.rate : how.rate;
        final int batch = Math.min(how.batch == null ? recipe.batch : how.batch, train.size());
        try (Trainer trainer = trainer(network, recipe, optimizer, rate, batch, epochs, heldOut, log).build()) {
            if (output.resume != null) trainer.resume(output.resume);
            begin(task, recipe, network, trainer, optimizer, rate, batch, epochs);
            final History history;
            final boolean stopped;
            try (Interruption interruption = new Interruption(trainer::cancel)) {
                log.begin();
                try {
                    history = trainer.fit(train, epochs);
                } finally {
                    log.close();
                }
                stopped = interruption.isRequested();
                final Made made = made(task, network, target);
                made.saving.to(written); // before anything else can fail
                final Evaluation evaluation = made.model.evaluate(task.heldOut());
                end(task, evaluation, history, epochs, stopped, file, written);
                if (output.report != null) {
                    report(task, made.model, evaluation, history, optimizer, rate, batch, epochs, trainer.threads(), stopped,
                           file).write(Destination.of(output.report, "the report"));
                    say("wrote %s, a page for a browser%n", output.report);
                }
            }
        }
        return 0;
    }

    private void say(String format, Object... arguments) {
        if (!output.json) System.out.printf(format, arguments);
    }

    // ---- What is asked for

    private Task task() throws IOException {
        if (directory != null) {
            if (data != null)
                throw new IllegalArgumentException(
                    "train: both " + data + " and --data " + directory + " are given; expected one");
            return images(directory);
        }
        final String name = data != null ? data : net.system == Preset.REGRESSION ? "boston" : "digits";
        final Path file = Path.of(name);
        if (Files.isDirectory(file)) return images(file);
        final Task.Columns columns = new Task.Columns(table.target, table.drop, table.text, table.weight);
        if (Tables.isBundled(name) && !Files.exists(file)) {
            if (table.target != null)
                throw new IllegalArgumentException("train: --target is for CSV files; " + name + " has its own");
            if (name.equals("digits")) requireNoColumns(name);
            return name.equals("digits") ? Task.digits(net.system, how.seed)
                : Task.table(name, Tables.bundled(name), columns, net.system, how.seed);
        }
        if (!Files.exists(file) && !name.contains(".") && !name.contains("/") && !name.equals("-"))
            throw new IllegalArgumentException("train: there is no data set and no file '" + name
                + "'; expected digits, boston, a CSV file or a directory of IDX files");
        return Task.table(name.equals("-") ? Tables.STANDARD_INPUT : name, Tables.file(name), columns, net.system, how.seed);
    }

    private Task images(Path directory) throws IOException {
        if (net.system == Preset.REGRESSION)
            throw new IllegalArgumentException("train: regression is for tables; expected another --system for images");
        requireNoColumns(directory.toString());
        return Task.images(directory, net.system);
    }

    private void requireNoColumns(String images) {
        final String option = table.target != null ? "--target" : !table.drop.isEmpty() ? "--drop"
            : !table.text.isEmpty() ? "--text" : table.weight != null ? "--weight" : null;
        if (option != null)
            throw new IllegalArgumentException(
                "train: " + option + " is for tables; " + images + " holds images, with labels of their own");
    }

    private Network network(Task task, Recipe recipe, Backend backend) {
        final int[] widths = net.hidden == null ? recipe.widths : widths(net.hidden);
        final Network.Builder builder = Network.builder(task.train().inputs());
        for (int width : widths) builder.layer(width, net.activation == null ? recipe.hidden : net.activation);
        return builder.layer(recipe.outputs, recipe.last).seed(how.seed).backend(backend).build();
    }

    static int[] widths(String hidden) {
        if (hidden.equals("none")) return new int[0];
        try {
            return Arrays.stream(hidden.split(",", -1)).mapToInt(width -> Integer.parseInt(width.strip())).toArray();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                "train: --hidden is '" + hidden + "'; expected whole numbers, such as 100,50, or none", e);
        }
    }

    private static Optimizer optimizer(String name) {
        return switch (name) {
            case "sgd" -> Optimizer.sgd();
            case "momentum" -> Optimizer.momentum(0.9);
            case "nesterov" -> Optimizer.nesterov(0.9);
            case "rmsprop" -> Optimizer.rmsProp();
            case "adam" -> Optimizer.adam();
            case "adamw" -> Optimizer.adamW(0.01);
            default -> throw new IllegalArgumentException(
                "train: --optimizer is '" + name + "'; expected sgd, momentum, nesterov, rmsprop, adam or adamw");
        };
    }

    private static Schedule schedule(String name, int epochs) {
        return switch (name) {
            case "constant" -> Schedule.constant();
            case "cosine" -> Schedule.cosine(epochs, 0.01);
            case "step" -> Schedule.step(Math.max(1, epochs / 3.0), 0.1);
            case "plateau" -> Schedule.plateau(5, 0.5);
            default -> throw new IllegalArgumentException(
                "train: --schedule is '" + name + "'; expected constant, cosine, step or plateau");
        };
    }

    private Trainer.Builder trainer(Network network, Recipe recipe, Optimizer optimizer, double rate, int batch, int epochs,
                                    Dataset heldOut, Log log) {
        final Trainer.Builder builder = Trainer.of(network, recipe.loss).reduction(recipe.reduction).optimizer(optimizer)
            .seed(how.seed).batch(batch).rate(rate).l2(how.l2 == null ? recipe.l2 : how.l2).listener(log).metric(log::metric);
        if (how.schedule != null) builder.schedule(schedule(how.schedule, epochs));
        if (how.l1 != null) builder.l1(how.l1);
        if (how.dropout != null) builder.dropout(how.dropout);
        if (how.inputDropout != null) builder.dropout(0, how.inputDropout);
        if (how.clip != null) builder.clipNorm(how.clip);
        if (how.threads != null) builder.threads(how.threads);
        if (how.patience == null) builder.validation(heldOut); // only looked at; what decides when to stop must not judge too
        else builder.earlyStopping(how.patience).validation(0.1);
        if (output.checkpoint != null) builder.checkpoint(output.checkpoint);
        return builder;
    }

    /** The model of a trained network: an estimator's, or the network alone where no estimator has such outputs. */
    private static Made made(Task task, Network trained, @Nullable Scaling target) {
        final Network network = trained.copy();
        final @Nullable Scaler scaler = task.inputs() == null ? null : task.inputs().scaler();
        if (target != null) {
            final MlpRegressor mlp = MlpRegressor.of(network, scaler, target.scaler(), task.encoder());
            return new Made(Model.of(mlp).named(List.of(), task.target()), mlp::save);
        }
        final Activation last = network.layer(network.depth()).activation();
        if (last == Activation.SOFTMAX || network.outputs() == 1) {
            final MlpClassifier<String> mlp = MlpClassifier.of(network, task.labels(), scaler, task.encoder());
            return new Made(Model.of(mlp).named(task.labels(), task.target()), mlp::save);
        }
        if (task.inputs() != null) task.inputs().foldIntoInputs(network);
        return new Made(Model.of(network).named(task.labels(), task.target()), network::save);
    }

    // ---- What is said

    private void begin(Task task, Recipe recipe, Network network, Trainer trainer, Optimizer optimizer, double rate, int batch,
                       int epochs) {
        final Backend backend = network.backend();
        final Map<String, String> leftOut = task.encoder() == null ? Map.of() : task.encoder().leftOut();
        if (output.json) {
            Json.print("event", "start", "data", task.name(), "train", task.train().size(), "held_out", task.heldOut().size(),
                       "target", task.target(), "labels", task.isRegression() ? null : task.labels(), "left_out", leftOut,
                       "network", network.toString(), "parameters", network.parameters().length, "optimizer",
                       optimizer.toString(), "rate", rate, "batch", batch, "epochs", epochs, "seed", how.seed, "backend",
                       backend.name(), "threads", trainer.threads());
            return;
        }
        say("%s: %s; %,d to train on, %,d held out%n", task.name(), task.about(), task.train().size(), task.heldOut().size());
        leftOut.forEach((column, reason) -> say("left out: %s (%s)%n", column, reason));
        say("%s %s, %,d parameters%n", recipe.name, network, network.parameters().length);
        say("%s, %d thread%s: %s%n", backend.name(), trainer.threads(), trainer.threads() == 1 ? "" : "s", backend.description());
        say("%s, rate %s, batch %d%n", optimizer, plain(rate), batch);
        if (trainer.history().size() > 0) say("going on after epoch %d%n", trainer.history().size());
    }

    private void end(Task task, Evaluation evaluation, History history, int epochs, boolean stopped, Path file, Path written)
        throws IOException {
        final double seconds = seconds(history), speed = (double) history.size() * task.train().size() / seconds;
        final double line = task.isRegression() ? LeastSquares.rootMeanSquaredError(task.train(), task.heldOut()) : Double.NaN;
        if (output.json) {
            final Map<String, Object> object = new LinkedHashMap<>();
            object.put("event", "end");
            object.put("stopped", stopped);
            object.put("epochs", history.size());
            Json.put(object, "seconds", seconds);
            Json.put(object, "samples_per_second", speed);
            object.putAll(evaluation.figures());
            Json.put(object, "least_squares_rmse", line);
            object.put("model", file.toString());
            Json.print(object);
            return;
        }
        if (stopped)
            say("stopped after %d of %d epochs%s%n", history.size(), epochs,
                output.checkpoint == null ? "" : "; go on with --resume " + output.checkpoint);
        final String verdict = !task.isRegression() ? evaluation.verdict()
            : String.format("root mean squared error of %s on the %,d held-out samples: network %.3f, ordinary least squares %s",
                            task.target(), task.heldOut().size(), ((Evaluation.Quantity) evaluation).rootMeanSquaredError(),
                            Double.isNaN(line) ? "undefined (the columns depend on each other)" : String.format("%.3f", line));
        say("%s, after %d epoch%s in %.2f s (%,.0f samples/s)%n", verdict, history.size(), history.size() == 1 ? "" : "s",
            seconds, speed);
        say("wrote %s (%,d bytes); it takes the data as they stand in the file%n", file, Files.size(written));
    }

    private static String plain(double value) {
        return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
    }

    private static double seconds(History history) {
        double seconds = 0;
        for (History.Epoch epoch : history) seconds += epoch.seconds();
        return seconds;
    }

    private Report report(Task task, Model model, Evaluation evaluation, History history, Optimizer optimizer, double rate,
                          int batch, int epochs, int threads, boolean stopped, Path file) throws IOException {
        final Network network = model.network();
        final double seconds = seconds(history);
        final String what = task.isRegression() ? "" : task.labels().size() + " classes of " + task.target() + ": ";
        final Report report = new Report(task.name(), what + evaluation.verdict() + ".");
        if (evaluation instanceof Evaluation.Classes classes) {
            report.fact("right, held out", String.format("%.2f %%", 100 * classes.accuracy()));
            report.fact("log loss", String.format("%.4f", classes.logLoss()));
        } else {
            final Evaluation.Quantity quantity = (Evaluation.Quantity) evaluation;
            report.fact("root mean square", Evaluation.Quantity.figure(quantity.rootMeanSquaredError()));
            report.fact("R²", Double.isFinite(quantity.r2()) ? String.format("%.3f", quantity.r2()) : "–");
        }
        report.fact("parameters", String.format("%,d", network.parameters().length));
        report.fact("samples a second", String.format("%,.0f", history.size() * (double) task.train().size() / seconds));
        report.fact("of training", String.format(seconds < 10 ? "%.2f s" : "%.0f s", seconds));
        report.fact("backend", network.backend().name());

        if (history.size() > 0) {
            final String judged = how.patience == null ? "held out" : "validation";
            report.epochs(values(history, History.Epoch::number).mapToInt(Double::intValue).toArray(),
                how.patience == null ? "After each pass over the data."
                    : "After each pass over the data; the epoch with the least loss on the validation samples was taken.");
            final List<Report.Series> losses = new ArrayList<>();
            losses.add(new Report.Series("training", doubles(history, History.Epoch::loss)));
            losses.add(new Report.Series(judged, doubles(history, History.Epoch::validationLoss)));
            report.curve("Loss", "", true, losses);
            report.curve(task.isRegression() ? "Root mean square error" : "Right", task.isRegression() ? "" : " %", false,
                         List.of(new Report.Series(judged, doubles(history, History.Epoch::metric))));
        }
        report.evaluation(evaluation);
        if (task.width() > 0) {
            report.weights(network, task.width(), task.height());
            report.pictures(evaluation, task.width(), task.height(), sample -> {
                final float[] x = new float[task.heldOut().inputs()];
                task.heldOut().copy((int) sample, x, 0, new float[1], 0);
                return x;
            });
        } else {
            final Map<Long, Task.Row> rows =
                task.rows().read(evaluation.worst().stream().map(Evaluation.Mistake::sample).toList());
            report.rows(evaluation, task.header(), rows::get);
        }
        report.configuration("data", String.format("%s; %,d to train on, %,d held out", task.about(), task.train().size(),
                                                   task.heldOut().size()));
        report.configuration("network", network.toString());
        report.configuration("optimizer", optimizer + ", rate " + plain(rate) + ", batch " + batch
            + (how.schedule == null ? "" : ", " + how.schedule) + (how.dropout == null ? "" : ", dropout " + how.dropout)
            + (how.inputDropout == null ? "" : ", input dropout " + how.inputDropout));
        report.configuration("epochs", history.size() == epochs ? Integer.toString(epochs)
            : history.size() + " of " + epochs + (stopped ? ", stopped" : ""));
        report.configuration("seed", Long.toString(how.seed));
        report.configuration("backend", network.backend().description().replaceFirst(", linked into .*!/\\S*?,", ",")
            + ", " + threads + (threads == 1 ? " thread" : " threads"));
        report.configuration("Java", System.getProperty("java.version") + ", " + System.getProperty("os.name") + " "
            + System.getProperty("os.arch"));
        report.configuration("model", file.toString());
        report.configuration("command",
                             "./backblas " + String.join(" ", spec.root().commandLine().getParseResult().originalArgs()));
        return report;
    }

    private static Stream<Double> values(History history, Function<History.Epoch, Number> of) {
        return history.epochs().stream().map(epoch -> of.apply(epoch).doubleValue());
    }

    private static double[] doubles(History history, Function<History.Epoch, Number> of) {
        return values(history, of).mapToDouble(Double::doubleValue).toArray();
    }
}
