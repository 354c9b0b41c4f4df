package dev.backblas.benchmarks;

import dev.backblas.Dataset;
import dev.backblas.MlpClassifier;
import dev.backblas.MlpRegressor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/** Our side of {@code benchmarks/scikit_learn.py}: trains on its samples, prints the seconds and the score. */
final class Accuracy {

    private Accuracy() {}

    /** Directory, inputs, classifier or regressor, epochs, whether to standardise, hidden units, seed. */
    public static void main(String[] args) throws IOException {
        final Path directory = Path.of(args[0]);
        final int inputs = Integer.parseInt(args[1]), epochs = Integer.parseInt(args[3]), hidden = Integer.parseInt(args[5]);
        final boolean standardize = Boolean.parseBoolean(args[4]);
        final long seed = Long.parseLong(args[6]);
        final float[] y = floats(directory.resolve("y"));
        final Dataset train = Dataset.of(floats(directory.resolve("x")), y, inputs, 1);
        final Dataset test = Dataset.of(floats(directory.resolve("test-x")), floats(directory.resolve("test-y")), inputs, 1);
        final long start = System.nanoTime();
        final double score, seconds;
        if (args[2].equals("classifier")) {
            final MlpClassifier<Integer> model = MlpClassifier.builder().hidden(hidden).standardize(standardize).epochs(epochs)
                .noEarlyStopping().seed(seed).build();
            final int classes = 1 + (int) IntStream.range(0, y.length).mapToDouble(i -> y[i]).max().orElseThrow();
            model.fit(train, IntStream.range(0, classes).boxed().toList());
            seconds = (System.nanoTime() - start) * 1e-9;
            score = model.score(test);
        } else {
            final MlpRegressor model = MlpRegressor.builder().hidden(hidden).standardize(standardize).epochs(epochs)
                .noEarlyStopping().seed(seed).build().fit(train);
            seconds = (System.nanoTime() - start) * 1e-9;
            score = model.score(test);
        }
        System.out.println(seconds + " " + score);
    }

    private static float[] floats(Path file) throws IOException {
        final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        final float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }
}
