package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Initialization;
import dev.backblas.Loss;
import dev.backblas.Loss.Reduction;
import dev.backblas.Metrics;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Four results of M. Nielsen, "Neural Networks and Deep Learning", chapters 1 and 3: the best accuracy of 30 epochs on MNIST,
 * trained on the first 50,000 images, judged on the test set or, in the last, on the other 10,000; weights and biases start as
 * N(0, 1), outputs are sigmoid, the batch is 10.
 */
@Command(name = "nielsen", mixinStandardHelpOptions = true,
         description = "Reproduce four results of M. Nielsen's \"Neural Networks and Deep Learning\" on MNIST.")
final class Nielsen implements Callable<Integer> {

    private static final int TRAINED_ON = 50_000;
    private static final int BATCH = 10;
    private static final int DIGITS = 10;

    @Option(names = "--data", paramLabel = "DIR", required = true, description = "The directory of MNIST's four IDX files.")
    private Path directory;

    @Option(names = "--epochs", paramLabel = "N", description = "30 unless set.")
    private int epochs = 30;

    @Option(names = "--seed", paramLabel = "N", description = "Of the weights and the shuffle; 12 unless set. With most seeds an "
        + "output of the second network never learns.")
    private long seed = 12;

    @Option(names = "--threads", paramLabel = "N", description = "The most threads for a step; all processors unless set.")
    private @Nullable Integer threads;

    @Option(names = "--backend", paramLabel = "NAME", description = ModelOptions.BACKENDS)
    private @Nullable String backend;

    /** A row of his. The last was measured on his validation set, the last 10,000 of the 60,000. */
    private record Result(int hidden, Loss loss, double eta, double lambda, boolean validation, double his) {

        @Override
        public String toString() {
            return String.format("784-%d-10 %s, η %.1f%s%s", hidden,
                                 loss == Loss.SQUARED_ERROR ? "quadratic" : "cross-entropy", eta,
                                 lambda == 0 ? "" : String.format(", λ %.1f", lambda), validation ? ", validation set" : "");
        }
    }

    private static final List<Result> RESULTS = List.of(
        new Result(30, Loss.SQUARED_ERROR, 3.0, 0, false, 95.42),
        new Result(100, Loss.SQUARED_ERROR, 3.0, 0, false, 96.59),
        new Result(30, Loss.BINARY_CROSS_ENTROPY, 0.5, 5.0, false, 96.49),
        new Result(100, Loss.BINARY_CROSS_ENTROPY, 0.5, 5.0, true, 97.92));

    @Override
    public Integer call() throws IOException {
        final Backend chosen = backend == null ? Backend.fastest() : Backend.named(backend);
        if (epochs < 1) throw new IllegalArgumentException("nielsen: --epochs is " + epochs + "; expected 1 or more");
        final Images images = Images.read(directory, "train");
        final int size = images.size();
        if (size <= TRAINED_ON)
            throw new IOException(directory + ": it has " + size + " training images; expected 60,000, the whole of MNIST");
        final Dataset all = images.oneHot(DIGITS), test = Images.read(directory, "t10k").oneHot(DIGITS);
        final Dataset train = all.slice(0, TRAINED_ON), validation = all.slice(TRAINED_ON, size);
        System.out.printf("%s: %s%n%n", chosen.name(), chosen.description());
        System.out.printf("| network | his %% | ours %% | difference | time, %d epochs |%n|---|---|---|---|---|%n", epochs);
        for (Result result : RESULTS) {
            final Network network = Network.builder(train.inputs()).layer(result.hidden, Activation.SIGMOID)
                .layer(train.outputs(), Activation.SIGMOID).initialization(Initialization.GAUSSIAN).seed(seed).backend(chosen)
                .build();
            final Trainer.Builder builder = Trainer.of(network, result.loss).reduction(Reduction.MEAN).rate(result.eta)
                .l2(result.lambda).batch(BATCH).seed(seed);
            if (threads != null) builder.threads(threads);
            double best = 0;
            long nanos = 0;
            try (Trainer trainer = builder.build()) {
                for (int epoch = 0; epoch < epochs; epoch++) {
                    final long start = System.nanoTime();
                    trainer.epoch(train);
                    nanos += System.nanoTime() - start;
                    best = Math.max(best, 100 * Metrics.accuracy(network, result.validation ? validation : test));
                }
            }
            System.out.printf("| %s | %.2f | %.2f | %+.2f | %.1f s |%n", result, result.his, best, best - result.his,
                              nanos / 1e9);
        }
        return 0;
    }
}
