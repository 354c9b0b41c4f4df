package dev.backblas.cli;

import dev.backblas.Metrics;
import dev.backblas.Network;
import dev.backblas.Preset;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Trains one of the five systems on real data, says how well it does on samples it has not seen, and writes the model. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Train a network, print how well it does on held-out data, write the model.")
final class Train implements Callable<Integer> {

    @Parameters(index = "0", arity = "0..1", paramLabel = "DATA",
                description = "digits or boston, which come with Backblas, or a CSV file of numbers with a header line.")
    private @Nullable String data;

    @Option(names = "--system", paramLabel = "NAME",
            description = "One of the five systems: regression, softmax, binary, quadratic, deep. By default regression for "
                + "boston, softmax for digits and images, and what the target asks for in a CSV.")
    private @Nullable Preset system;

    @Option(names = "--data", paramLabel = "DIR", description = "A directory of IDX files, gzipped or not, such as MNIST.")
    private @Nullable Path directory;

    @Option(names = "--target", paramLabel = "COLUMN", description = "The column of a CSV to learn; its last unless set.")
    private @Nullable String target;

    @Option(names = "--hidden", paramLabel = "N,N", description = "The units of each hidden layer, such as 100,50; none for no "
        + "hidden layer. By default the system's own.")
    private @Nullable String hidden;

    @Option(names = "--activation", paramLabel = "NAME",
            description = "Of the hidden layers: identity, sigmoid, tanh, relu or leaky_relu. By default the system's own.")
    private @Nullable Activation activation;

    @Option(names = "--epochs", paramLabel = "N", description = "How often to go through the data.")
    private @Nullable Integer epochs;

    @Option(names = "--batch", paramLabel = "N", description = "The samples of a step.")
    private @Nullable Integer batch;

    @Option(names = "--rate", paramLabel = "X", description = "The learning rate.")
    private @Nullable Double rate;

    @Option(names = "--l2", paramLabel = "X", description = "Lambda of the penalty (lambda/2n) sum of W^2.")
    private @Nullable Double l2;

    @Option(names = "--threads", paramLabel = "N", description = "The most threads for a step; all processors unless set.")
    private @Nullable Integer threads;

    @Option(names = "--seed", paramLabel = "N", description = "Of the split, the weights and the shuffle; 1 unless set.")
    private long seed = 1;

    @Option(names = "--backend", paramLabel = "NAME", description = "openblas, java, or auto for the faster one that is there.")
    private @Nullable String backend;

    @Option(names = "--out", paramLabel = "FILE", description = "Where to write the model; DATA.safetensors unless set.")
    private @Nullable Path out;

    /** What works on the data at hand where nothing is set. */
    private record Defaults(int epochs, int batch, double rate, double l2) {

        static Defaults of(Preset preset) {
            return switch (preset) {
                case REGRESSION -> new Defaults(200, 32, 0.003, 0);
                case SOFTMAX -> new Defaults(40, 16, 0.2, 0.2);
                case BINARY -> new Defaults(100, 32, 1, 0);
                case QUADRATIC -> new Defaults(30, 10, 0.3, 0);
                case DEEP -> new Defaults(60, 10, 0.3, 0);
            };
        }
    }

    @Override
    public Integer call() throws IOException {
        if (out != null) destination(out);
        final Backend chosen = backend == null ? Backend.fastest() : Backend.named(backend);
        final Task task = task();
        final Path file = out == null ? Path.of(task.name() + ".safetensors") : out, written = destination(file);
        final Preset preset = preset(task);
        final int[] widths = hidden == null ? preset.widths() : widths(hidden);
        final Defaults defaults = Defaults.of(preset);
        final int passes = epochs == null ? defaults.epochs : epochs;
        if (passes < 1) throw new IllegalArgumentException("train: --epochs is " + passes + "; expected 1 or more");
        final Network network = preset.network(task.train().inputs(), widths, activation == null ? preset.hidden() : activation,
                                               task.train().outputs()).seed(seed).backend(chosen).build();
        final Trainer.Builder builder = preset.trainer(network).seed(seed)
            .batch(Math.min(batch == null ? defaults.batch : batch, task.train().size()))
            .rate(rate == null ? defaults.rate : rate)
            .l2(l2 == null ? defaults.l2 : l2);
        if (threads != null) builder.threads(threads);

        System.out.printf("%s: %s; %d to train on, %d held out%n", task.name(), task.about(), task.train().size(),
                          task.heldOut().size());
        try (Trainer trainer = builder.build()) {
            System.out.printf("%s %s, %,d parameters%n", preset.name().toLowerCase(Locale.ROOT), network,
                              network.parameters().length);
            System.out.printf("%s, %d thread%s: %s%n", chosen.name(), trainer.threads(), trainer.threads() == 1 ? "" : "s",
                              chosen.description());
            final double seconds = run(trainer, task, passes);
            final Network model = network.copy();
            task.inputs().foldIntoInputs(model);
            if (task.target() != null) task.target().foldIntoOutputs(model);
            model.save(written); // before anything else can fail
            System.out.printf("%s, after %d epochs in %.2f s (%,.0f samples/s)%n", verdict(network, task), passes, seconds,
                              (double) passes * task.train().size() / seconds);
        }
        System.out.printf("wrote %s (%,d bytes); it takes the data as they stand in the file%n", file, Files.size(written));
        return 0;
    }

    /** Trains, with about ten lines of progress. Returns the seconds spent in training. */
    private static double run(Trainer trainer, Task task, int passes) {
        final int every = Math.max(1, passes / 10);
        long nanos = 0;
        for (int epoch = 1; epoch <= passes; epoch++) {
            final long start = System.nanoTime();
            final double loss = trainer.epoch(task.train());
            nanos += System.nanoTime() - start;
            if (epoch == 1 || epoch % every == 0 || epoch == passes)
                System.out.printf("epoch %4d  loss %.5f  held out: %s%n", epoch, loss, score(trainer.network(), task));
        }
        return nanos / 1e9;
    }

    private static String score(Network network, Task task) {
        return task.target() == null
            ? String.format("%.2f %% right", 100 * Metrics.accuracy(network, task.heldOut()))
            : String.format("off by %.3f (root mean square)", error(network, task));
    }

    private static String verdict(Network network, Task task) {
        if (task.target() == null)
            return String.format("%.2f %% of the %d held-out samples are right",
                                 100 * Metrics.accuracy(network, task.heldOut()), task.heldOut().size());
        final double line = LeastSquares.rootMeanSquaredError(task.train(), task.heldOut()) * task.target().deviation()[0];
        return String.format("root mean squared error of %s on the %d held-out samples: network %.3f, ordinary least squares %s",
                             task.column(), task.heldOut().size(), error(network, task),
                             Double.isNaN(line) ? "undefined (the columns depend on each other)" : String.format("%.3f", line));
    }

    private static double error(Network network, Task task) {
        return Metrics.rootMeanSquaredError(network, task.heldOut()) * task.target().deviation()[0];
    }

    private Task task() throws IOException {
        if (directory != null) {
            if (data != null)
                throw new IllegalArgumentException(
                    "train: both " + data + " and --data " + directory + " are given; expected one");
            if (system == Preset.REGRESSION)
                throw new IllegalArgumentException("train: regression is for tables; expected another --system for images");
            return Task.idx(directory, system == null ? Preset.SOFTMAX : system);
        }
        final String name = data != null ? data : system == Preset.REGRESSION ? "boston" : "digits";
        if (target != null && (name.equals("digits") || name.equals("boston")))
            throw new IllegalArgumentException("train: --target is for CSV files; " + name + " has its own");
        return switch (name) {
            case "digits" -> Task.digits(system == null ? Preset.SOFTMAX : system, seed);
            case "boston" -> Task.boston(system == null ? Preset.REGRESSION : system, seed);
            default -> {
                final Path file = Path.of(name);
                if (!Files.exists(file) && !name.contains(".") && !name.contains("/"))
                    throw new IllegalArgumentException("train: there is no data set and no file '" + name
                        + "'; expected digits, boston or a CSV file");
                yield Task.csv(file, target, system, seed);
            }
        };
    }

    /** The system asked for, else the one the task was encoded for. */
    private Preset preset(Task task) {
        if (system != null) return system;
        if (task.target() != null) return Preset.REGRESSION;
        return task.train().outputs() == 1 ? Preset.BINARY : Preset.SOFTMAX;
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

    /** Where the model goes; tried before an hour of training rather than after it. A symbolic link is followed. */
    private static Path destination(Path file) throws IOException {
        final Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        if (target.getFileName() == null || Files.exists(target) && !Files.isRegularFile(target))
            throw new IOException(file + ": the model cannot be written to it: it is no file");
        final Path parent = target.getParent();
        if (!Files.isDirectory(parent))
            throw new IOException(parent + ": the model cannot be written to it: no such directory");
        if (!Files.isWritable(parent))
            throw new IOException(parent + ": the model cannot be written to it: permission denied");
        return target;
    }
}
