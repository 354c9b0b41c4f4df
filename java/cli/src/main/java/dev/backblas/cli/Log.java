package dev.backblas.cli;

import dev.backblas.History;
import dev.backblas.Trainer;

/** Shows how training goes: a bar on a terminal, about ten lines elsewhere, or a JSON object for each epoch. */
final class Log implements Trainer.Listener {

    /** No more than this between two lines, and no less between two messages beside the bar. */
    private static final long PATIENCE = 10_000_000_000L, BLINK = 100_000_000L;

    private final Task task;
    private final int epochs;
    private final boolean json;
    private double unit = Double.NaN;
    private Progress progress = Progress.none();
    private String metric = "";
    private long said;

    Log(Task task, int epochs, boolean json) {
        this.task = task;
        this.epochs = epochs;
        this.json = json;
    }

    /**
     * From now on there is something to show.
     *
     * @param unit as in {@link Training#unit}
     */
    void begin(double unit) {
        this.unit = unit;
        if (!json) progress = Progress.samples("train", epochs * task.size());
        said = System.nanoTime();
    }

    void close() {
        progress.close();
    }

    @Override
    public void step(int epoch, int samples, int size, double meanLoss) {
        if (!Progress.onTerminal()) return;
        progress.to((long) (epoch - 1) * size + samples);
        final long now = System.nanoTime();
        if (now - said < BLINK) return;
        said = now;
        say(epoch, meanLoss);
    }

    /** The most wanted first: a narrow terminal cuts the rest off. */
    private void say(int epoch, double loss) {
        progress.say(String.format("loss %s%s  epoch %d of %d", loss(loss, 4), metric, epoch, epochs));
    }

    private static String loss(double loss, int decimals) {
        return String.format(loss < 1e6 ? "%." + decimals + "f" : "%.3e", loss);
    }

    @Override
    public void epoch(History.Epoch epoch) {
        final boolean scaled = Double.isNaN(unit);
        if (json) {
            Json.print("event", "epoch", "epoch", epoch.number(), "loss", epoch.loss(), "validation_loss", epoch.validationLoss(),
                       !task.isRegression() ? "accuracy" : scaled ? "standardized_rmse" : "rmse",
                       task.isRegression() && !scaled ? unit * epoch.metric() : epoch.metric(), "rate", epoch.rate(), "seconds",
                       epoch.seconds());
            return;
        }
        metric = !task.isRegression() ? String.format("  %.2f %%", 100 * epoch.metric())
            : scaled ? String.format("  off by %.3f standard deviations", epoch.metric())
            : "  off by " + Evaluation.Quantity.figure(unit * epoch.metric());
        if (Progress.onTerminal()) {
            say(epoch.number(), epoch.loss());
            return;
        }
        final int every = Math.max(1, epochs / 10);
        final long now = System.nanoTime();
        if (epoch.number() != 1 && epoch.number() % every != 0 && epoch.number() != epochs && now - said < PATIENCE) return;
        said = now;
        System.out.printf("epoch %4d  loss %s  held out:%s%s%n", epoch.number(), loss(epoch.loss(), 5), metric.substring(1),
                          task.isRegression() ? "" : " right");
    }
}
