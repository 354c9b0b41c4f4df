package dev.backblas.cli;

import dev.backblas.Loss;
import dev.backblas.Loss.Reduction;
import dev.backblas.Network;
import dev.backblas.Optimizer;
import dev.backblas.Preset;
import dev.backblas.Schedule;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained, and how: as the user says, and where nothing is said as the task asks for, or one of the five systems. */
record Recipe(String name, int[] widths, Activation hidden, Activation last, int outputs, Loss loss, Reduction reduction,
              String method, int epochs, int batch, double rate, double l2, Settings settings) {

    private static final List<String> OPTIMIZERS =
        List.of("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lbfgs");
    private static final List<String> SCHEDULES = List.of("constant", "cosine", "step", "plateau");
    /** Steps that make a good model of tables and small images, if the data are neither tiny nor huge. */
    private static final int STEPS = 20_000;
    private static final int BATCH = 32;
    /** L-BFGS goes through all samples for a step; this many at a time. */
    private static final int LBFGS_BATCH = 1024, LBFGS_STEPS = 200;

    /** The network, as the user wants it. */
    static final class Shape {
        @Option(names = "--system", paramLabel = "NAME",
                description = "One of the five systems: regression, softmax, binary, quadratic, deep. Unless set, what the "
                    + "target asks for, with Adam.")
        @Nullable Preset system;

        @Option(names = "--hidden", paramLabel = "N,N",
                description = "The units of each hidden layer, such as 100,50; none for no hidden layer. 100 unless set.")
        private @Nullable String hidden;

        @Option(names = "--activation", paramLabel = "NAME",
                description = "Of the hidden layers: identity, sigmoid, tanh, relu, leaky_relu, gelu, silu, elu or softplus. "
                    + "relu unless set.")
        private @Nullable Activation activation;
    }

    /** Training, as the user wants it. */
    static final class Settings {
        @Option(names = "--epochs", paramLabel = "N", description = "How often to go through the data.")
        private @Nullable Integer epochs;

        @Option(names = "--batch", paramLabel = "N", description = "The samples of a step.")
        private @Nullable Integer batch;

        @Option(names = "--optimizer", paramLabel = "NAME",
                description = "sgd, momentum, nesterov, rmsprop, adam, adamw, or lbfgs (for small data: each epoch is one step "
                    + "on all of them). adam unless set.")
        private @Nullable String optimizer;

        @Option(names = "--rate", paramLabel = "X", description = "The learning rate.")
        private @Nullable Double rate;

        @Option(names = "--schedule", paramLabel = "NAME",
                description = "How the rate changes: constant, cosine (to a hundredth at the end), step (by ten, twice) or "
                    + "plateau. constant unless set.")
        @Nullable String schedule;

        @Option(names = "--l2", paramLabel = "X", description = "Lambda of the penalty (lambda/2n) sum of W^2.")
        private @Nullable Double l2;

        @Option(names = "--l1", paramLabel = "X", description = "Lambda of the penalty (lambda/n) sum of |W|.")
        @Nullable Double l1;

        @Option(names = "--dropout", paramLabel = "P",
                description = "The probability with which a hidden unit drops out of a step.")
        @Nullable Double dropout;

        @Option(names = "--input-dropout", paramLabel = "P",
                description = "The probability with which an input drops out of a step.")
        @Nullable Double inputDropout;

        @Option(names = "--clip", paramLabel = "X", description = "The largest norm of a gradient.")
        @Nullable Double clip;

        @Option(names = "--patience", paramLabel = "N",
                description = "End after so many epochs that did not lower the loss on a tenth of the training data, kept for "
                    + "that, and take the best epoch.")
        @Nullable Integer patience;

        @Option(names = "--threads", paramLabel = "N", description = "The most threads for a step; all processors unless set.")
        @Nullable Integer threads;

        @Option(names = "--seed", paramLabel = "N", description = "Of the split, the weights and the shuffle; 1 unless set.")
        long seed = 1;

        @Option(names = "--backend", paramLabel = "NAME", description = ModelOptions.BACKENDS)
        private @Nullable String backend;

        Backend backend() {
            return backend == null ? Backend.fastest() : Backend.named(backend);
        }
    }

    /** @throws IllegalArgumentException if a setting is none, or does not go with another */
    static Recipe of(Shape shape, Settings settings, Task task) {
        final Recipe usual = shape.system == null ? usual(task, settings) : of(shape.system, task, settings);
        final String method = settings.optimizer == null ? usual.method : settings.optimizer;
        if (!OPTIMIZERS.contains(method))
            throw new IllegalArgumentException(
                "train: --optimizer is '" + method + "'; expected " + Choice.expected(method, OPTIMIZERS));
        final boolean lbfgs = method.equals("lbfgs");
        if (lbfgs) requireOnlyForLbfgs(settings, task);
        if (settings.schedule != null && !SCHEDULES.contains(settings.schedule))
            throw new IllegalArgumentException(
                "train: --schedule is '" + settings.schedule + "'; expected " + Choice.expected(settings.schedule, SCHEDULES));
        final int epochs = settings.epochs != null ? settings.epochs : lbfgs ? LBFGS_STEPS : usual.epochs;
        if (epochs < 1) throw new IllegalArgumentException("train: --epochs is " + epochs + "; expected 1 or more");
        final int batch = settings.batch != null ? settings.batch : lbfgs ? LBFGS_BATCH : usual.batch;
        return new Recipe(usual.name, shape.hidden == null ? usual.widths : widths(shape.hidden),
            shape.activation == null ? usual.hidden : shape.activation, usual.last, usual.outputs, usual.loss, usual.reduction,
            method, epochs, (int) Math.min(batch, task.size()), settings.rate == null ? usual.rate : settings.rate,
            settings.l2 == null ? usual.l2 : settings.l2, settings);
    }

    private static Recipe usual(Task task, Settings settings) {
        final int classes = task.labels().size();
        final boolean one = task.isMultiLabel() || classes == 2; // output for each label, or for the second of two classes
        final int outputs = task.isMultiLabel() ? classes : classes == 0 ? task.targets().size() : one ? 1 : classes;
        final int epochs = (int) Math.max(10, Math.min(100, (long) STEPS * BATCH / task.size()));
        return new Recipe(classes == 0 ? "regressor" : "classifier", new int[] {100}, Activation.RELU,
            classes == 0 ? Activation.IDENTITY : one ? Activation.SIGMOID : Activation.SOFTMAX, outputs,
            classes == 0 ? Loss.SQUARED_ERROR : one ? Loss.BINARY_CROSS_ENTROPY : Loss.CROSS_ENTROPY, Reduction.MEAN, "adam",
            epochs, BATCH, 0.001, 0, settings);
    }

    private static Recipe of(Preset preset, Task task, Settings settings) {
        final int classes = task.labels().size();
        return switch (preset) {
            case REGRESSION -> of(preset, Activation.IDENTITY, task.targets().size(), 200, 32, 0.003, 0, settings);
            case SOFTMAX -> of(preset, Activation.SOFTMAX, classes, 40, 16, 0.2, 0.2, settings);
            case BINARY -> of(preset, Activation.SIGMOID, 1, 100, 32, 1, 0, settings);
            case QUADRATIC -> of(preset, Activation.SIGMOID, classes, 30, 10, 0.3, 0, settings);
            case DEEP -> of(preset, Activation.SIGMOID, classes, 60, 10, 0.3, 0, settings);
        };
    }

    private static Recipe of(Preset preset, Activation last, int outputs, int epochs, int batch, double rate, double l2,
                             Settings settings) {
        return new Recipe(preset.name().toLowerCase(Locale.ROOT), preset.widths(), preset.hidden(), last, outputs, preset.loss(),
                          preset.reduction(), "sgd", epochs, batch, rate, l2, settings);
    }

    private static void requireOnlyForLbfgs(Settings settings, Task task) {
        final String option = settings.batch != null ? "--batch" : settings.rate != null ? "--rate"
            : settings.schedule != null ? "--schedule" : settings.dropout != null ? "--dropout"
            : settings.inputDropout != null ? "--input-dropout" : settings.l1 != null ? "--l1"
            : settings.clip != null ? "--clip" : task.stream() != null ? "--stream" : null;
        if (option != null)
            throw new IllegalArgumentException(
                "train: " + option + " is not for --optimizer lbfgs, which takes all samples at once and finds the length of a "
                    + "step by itself; leave it out");
    }

    static int[] widths(String hidden) {
        if (hidden.equals("none")) return new int[0];
        try {
            final int[] widths =
                Arrays.stream(hidden.split(",", -1)).mapToInt(width -> Integer.parseInt(width.strip())).toArray();
            if (Arrays.stream(widths).allMatch(width -> width > 0)) return widths;
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException(
            "train: --hidden is '" + hidden + "'; expected whole numbers of units, such as 100,50, or none");
    }

    /** The network, before training. */
    Network network(int inputs, Backend backend) {
        final Network.Builder builder = Network.builder(inputs);
        for (int width : widths) builder.layer(width, hidden);
        return builder.layer(outputs, last).seed(settings.seed).backend(backend).build();
    }

    boolean isLbfgs() {
        return method.equals("lbfgs");
    }

    Optimizer optimizer() {
        return switch (method) {
            case "momentum" -> Optimizer.momentum(0.9);
            case "nesterov" -> Optimizer.nesterov(0.9);
            case "rmsprop" -> Optimizer.rmsProp();
            case "adam" -> Optimizer.adam();
            case "adamw" -> Optimizer.adamW(0.01);
            case "lbfgs" -> Optimizer.lbfgs();
            default -> Optimizer.sgd();
        };
    }

    Schedule schedule() {
        return switch (settings.schedule == null ? "constant" : settings.schedule) {
            case "cosine" -> Schedule.cosine(epochs, 0.01);
            case "step" -> Schedule.step(Math.max(1, epochs / 3.0), 0.1);
            case "plateau" -> Schedule.plateau(5, 0.5);
            default -> Schedule.constant();
        };
    }

    /** How the gradient is followed, in a line. */
    String steps() {
        if (isLbfgs()) return optimizer() + ", all samples for each step";
        final List<String> parts =
            new ArrayList<>(List.of(optimizer().toString(), "rate " + plain(rate), "batch " + batch));
        if (settings.schedule != null) parts.add(settings.schedule);
        if (settings.dropout != null) parts.add("dropout " + plain(settings.dropout));
        if (settings.inputDropout != null) parts.add("input dropout " + plain(settings.inputDropout));
        return String.join(", ", parts);
    }

    static String plain(double value) {
        return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
    }
}
