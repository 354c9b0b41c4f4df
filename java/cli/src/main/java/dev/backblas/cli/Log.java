package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.History;
import dev.backblas.Metrics;
import dev.backblas.Network;
import dev.backblas.Trainer;

/** Shows how training goes: a bar on a terminal, about ten lines elsewhere, or a JSON object for each epoch. */
final class Log implements Trainer.Listener {

    /** No more than this between two lines, and no less between two messages beside the bar. */
    private static final long PATIENCE = 10_000_000_000L, BLINK = 100_000_000L;

    private final Task task;
    private final int epochs;
    private final double unit;
    private final boolean json;
    private Progress progress = Progress.none();
    private String metric = "";
    private long said;

    /**
     * A log.
     *
     * @param unit what the root mean squared error of a network is multiplied by
     */
    Log(Task task, int epochs, double unit, boolean json) {
        this.task = task;
        this.epochs = epochs;
        this.unit = unit;
        this.json = json;
    }

    void begin() {
        if (!json) progress = Progress.samples("train", (long) epochs * task.train().size());
        said = System.nanoTime();
    }

    void close() {
        progress.close();
    }

    /** What is measured after each epoch: the share that is right in percent, or the root mean squared error. */
    double metric(Network network, Dataset data) {
        return task.isRegression() ? unit * Metrics.rootMeanSquaredError(network, data) : 100 * Metrics.accuracy(network, data);
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
        progress.say(String.format("loss %.4f%s  epoch %d of %d", loss, metric, epoch, epochs));
    }

    @Override
    public void epoch(History.Epoch epoch) {
        if (json) {
            Json.print("event", "epoch", "epoch", epoch.number(), "loss", epoch.loss(), "validation_loss", epoch.validationLoss(),
                       task.isRegression() ? "rmse" : "accuracy", task.isRegression() ? epoch.metric() : epoch.metric() / 100,
                       "rate", epoch.rate(), "seconds", epoch.seconds());
            return;
        }
        metric = String.format(task.isRegression() ? "  off by %.3f" : "  %.2f %%", epoch.metric());
        if (Progress.onTerminal()) {
            say(epoch.number(), epoch.loss());
            return;
        }
        final int every = Math.max(1, epochs / 10);
        final long now = System.nanoTime();
        if (epoch.number() != 1 && epoch.number() % every != 0 && epoch.number() != epochs && now - said < PATIENCE) return;
        said = now;
        System.out.printf("epoch %4d  loss %.5f  held out:%s%s%n", epoch.number(), epoch.loss(), metric.substring(1),
                          task.isRegression() ? "" : " right");
    }
}
