package dev.backblas.cli;

import dev.backblas.History;
import dev.backblas.Network;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What is said of a run of training, before and after it, as text or as JSON, and in a report.
 *
 * @param network as it is trained
 * @param threads that train together, or the most that may
 * @param file    the model file, as the user calls it
 */
record Summary(Task task, Recipe recipe, Network network, int threads, Path file, boolean json) {

    /** Fewer held-out samples say nothing about a model. */
    private static final int ENOUGH = 10;

    private void say(String format, Object... arguments) {
        if (!json) System.out.printf(format, arguments);
    }

    /** @param done the epochs that a checkpoint has behind it */
    void begin(int done) {
        final List<String> remarks = task.table() == null ? List.of() : task.table().remarks();
        final int parameters = network.parameters().length;
        if (json) {
            Json.print("event", "start", "data", task.name(), "train", task.size(), "held_out", task.heldOut().size(), "targets",
                       task.targets(), "labels", task.isRegression() ? null : task.labels(), "remarks", remarks, "network",
                       network.toString(), "parameters", parameters, "optimizer", recipe.optimizer().toString(), "rate",
                       recipe.isLbfgs() ? null : recipe.rate(), "batch", recipe.isLbfgs() ? null : recipe.batch(), "epochs",
                       recipe.epochs(), "seed", recipe.settings().seed, "backend", network.backend().name(), "threads", threads);
            return;
        }
        say("%s: %s; %,d to train on, %,d held out%n", task.name(), task.about(), task.size(), task.heldOut().size());
        remarks.forEach(remark -> say("%s%n", remark));
        say("%s %s, %,d parameters%n", recipe.name(), network, parameters);
        say("%s, %s%s: %s%n", network.backend().name(), task.stream() == null ? "" : "up to ", threadsInWords(),
            description(network.backend()));
        say("%s%n", recipe.steps());
        if (done > 0) say("going on after epoch %d%n", done);
    }

    private String threadsInWords() {
        return threads + (threads == 1 ? " thread" : " threads");
    }

    /** Without the address of the jar. */
    private static String description(Backend backend) {
        return backend.description().replaceFirst(", linked into .*!/\\S*?,", ",");
    }

    /**
     * @param stopped whether the user asked for the end
     * @param line    the error of ordinary least squares in regression; NaN where it is not known
     * @param written the model file, links followed
     */
    void end(Evaluation evaluation, List<History.Epoch> history, boolean stopped, double line, Path written,
             @Nullable Path checkpoint) throws IOException {
        final double seconds = seconds(history), speed = history.size() * task.size() / seconds;
        final String warning = warning(evaluation, history);
        if (json) {
            final Map<String, Object> object = new LinkedHashMap<>();
            object.put("event", "end");
            object.put("stopped", stopped);
            object.put("epochs", history.size());
            Json.put(object, "seconds", seconds);
            Json.put(object, "samples_per_second", speed);
            object.putAll(evaluation.figures());
            Json.put(object, "least_squares_rmse", line);
            Json.put(object, "warning", warning);
            object.put("model", file.toString());
            Json.print(object);
            return;
        }
        if (stopped)
            say("stopped after %d of %d epochs%s%n", history.size(), recipe.epochs(),
                checkpoint == null ? "" : "; go on with --resume " + checkpoint);
        say("%s%s, after %d epoch%s in %.2f s (%,.0f samples/s)%n", evaluation.verdict(),
            Double.isNaN(line) ? "" : ", ordinary least squares by " + Evaluation.Quantity.figure(line), history.size(),
            history.size() == 1 ? "" : "s", seconds, speed);
        say("wrote %s (%,d bytes); it takes the data as they stand in the file%n", file, Files.size(written));
        if (warning != null) System.err.println("warning: " + warning);
    }

    /** What is wrong with a model that was made all the same; null if nothing is. */
    private @Nullable String warning(Evaluation evaluation, List<History.Epoch> history) {
        if (!history.isEmpty() && !recipe.isLbfgs()) { // whose loss falls, but for the penalties
            final double first = history.get(0).loss(), last = history.get(history.size() - 1).loss();
            if (last > first)
                return String.format("training does not converge: the loss was %.4g in the first epoch and is %.4g in the last; "
                    + "lower --rate, now %s", first, last, Recipe.plain(recipe.rate()));
        }
        final String failure = evaluation.samples() < ENOUGH ? null : evaluation.failure();
        return failure == null ? null : failure + " on the held-out samples; try more --epochs, another --rate or other columns";
    }

    private static double seconds(List<History.Epoch> history) {
        return history.stream().mapToDouble(History.Epoch::seconds).sum();
    }

    /** @param typed the command */
    Report report(Model model, Evaluation evaluation, List<History.Epoch> history, boolean stopped, double unit, String typed)
        throws IOException {
        final double seconds = seconds(history);
        final String warning = warning(evaluation, history), what = task.isRegression() ? ""
            : task.isMultiLabel() ? task.labels().size() + " labels: "
            : task.labels().size() + " classes of " + task.targets().get(0) + ": ";
        final Report report = new Report(task.name(), what + evaluation.verdict() + ".");
        if (warning != null) report.warning(warning.substring(0, 1).toUpperCase(Locale.ROOT) + warning.substring(1) + ".");
        evaluation.facts().forEach(report::fact);
        report.fact("parameters", String.format("%,d", network.parameters().length));
        report.fact("samples a second", String.format("%,.0f", history.size() * task.size() / seconds));
        report.fact("of training", String.format(seconds < 10 ? "%.2f s" : "%.0f s", seconds));
        report.fact("backend", network.backend().name());
        if (!history.isEmpty()) curves(report, history, unit);
        report.evaluation(evaluation);
        mistakes(report, evaluation);
        report.configuration("data", String.format("%s; %,d to train on, %,d held out", task.about(), task.size(),
                                                   task.heldOut().size()));
        report.configuration("network", network.toString());
        report.configuration("optimizer", recipe.steps());
        report.configuration("epochs", history.size() == recipe.epochs() ? Integer.toString(recipe.epochs())
            : history.size() + " of " + recipe.epochs() + (stopped ? ", stopped" : ""));
        report.configuration("seed", Long.toString(recipe.settings().seed));
        report.configuration("backend", description(network.backend()) + ", " + threadsInWords());
        report.configuration("Java", System.getProperty("java.version") + ", " + System.getProperty("os.name") + " "
            + System.getProperty("os.arch"));
        report.configuration("model", file.toString());
        report.configuration("command", typed);
        if (task.width() > 0) report.weights(model.network(), task.width(), task.height());
        return report;
    }

    private void curves(Report report, List<History.Epoch> history, double unit) {
        final boolean own = recipe.settings().patience != null; // samples for validation
        final String judged = own ? "validation" : "held out";
        report.epochs(history.stream().mapToInt(History.Epoch::number).toArray(), "After each pass over the data"
            + (own ? "; the epoch with the least loss on the validation samples was taken." : "."));
        report.curve("Loss", "", true,
                     List.of(new Report.Series("training", values(history, History.Epoch::loss)),
                             new Report.Series(judged, values(history, History.Epoch::validationLoss))));
        final double factor = !task.isRegression() ? 100 : Double.isNaN(unit) ? 1 : unit;
        report.curve(!task.isRegression() ? "Right" : Double.isNaN(unit) ? "Root mean square error, in standard deviations"
                         : "Root mean square error", task.isRegression() ? "" : " %", false,
                     List.of(new Report.Series(judged, values(history, epoch -> factor * epoch.metric()))));
    }

    private static double[] values(List<History.Epoch> history, ToDoubleFunction<History.Epoch> of) {
        return history.stream().mapToDouble(of).toArray();
    }

    private void mistakes(Report report, Evaluation evaluation) throws IOException {
        if (task.width() > 0) {
            report.pictures(evaluation, task.width(), task.height(), sample -> {
                final float[] x = new float[task.heldOut().inputs()];
                task.heldOut().copy((int) sample, x, 0, new float[1], 0);
                return x;
            });
            return;
        }
        final Map<Long, Task.Row> rows =
            task.table().heldOut(evaluation.worst().stream().map(Evaluation.Mistake::sample).toList());
        report.rows(evaluation, task.table().header(), rows::get);
    }
}
