package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One model, many threads, and another one that takes its place. */
class ServingTest {

    private static final int THREADS = 64;

    @TempDir
    Path directory;

    private static float[][] samples() {
        final Random random = new Random(1);
        final float[][] x = new float[50][20];
        for (float[] row : x) for (int k = 0; k < row.length; k++) row[k] = (float) (k * random.nextGaussian());
        return x;
    }

    private static List<String> labels(float[][] x, int offset) {
        return Arrays.stream(x).map(row -> "class " + (offset + (row[1] > 0 ? 1 : 0) + (row[2] > 0 ? 1 : 0))).toList();
    }

    /**
     * 64 threads predict without pause, one row or all of them, while the model that they share is replaced by ones that were
     * just loaded. Each answer must be that of one of the models, to the bit, and labels and probabilities that of the same.
     */
    @Test
    void aFreshlyLoadedModelTakesThePlaceOfOneInUse() throws Exception {
        for (Backend backend : List.of(Backend.pureJava(), Backend.fastest())) {
            final float[][] x = samples();
            final MlpClassifier.Builder settings = MlpClassifier.builder().hidden(40, 30).epochs(3).backend(backend);
            final List<Path> files = new ArrayList<>();
            final List<float[][]> one = new ArrayList<>(), all = new ArrayList<>();
            for (int m = 0; m < 3; m++) {
                final MlpClassifier<String> model = settings.seed(m).build();
                model.fit(x, labels(x, 10 * m));
                files.add(directory.resolve(m + ".safetensors"));
                model.save(files.get(m));
                all.add(model.predictProba(x));
                one.add(Arrays.stream(x).map(model::predictProba).toArray(float[][]::new));
            }
            final AtomicReference<MlpClassifier<String>> shared =
                new AtomicReference<>(MlpClassifier.load(files.get(0), String.class, settings));
            final AtomicBoolean done = new AtomicBoolean();
            final ExecutorService pool = Executors.newFixedThreadPool(THREADS);
            try {
                final List<Future<Integer>> counts = new ArrayList<>();
                for (int t = 0; t < THREADS; t++) {
                    final int seed = t;
                    final Callable<Integer> predictor = () -> {
                        final Random random = new Random(seed);
                        int n = 0;
                        do {
                            final MlpClassifier<String> model = shared.get();
                            final int m = Integer.parseInt(model.labels().get(0).substring(6)) / 10, i = random.nextInt(x.length);
                            if (random.nextBoolean()) {
                                assertTrue(Arrays.equals(one.get(m)[i], model.predictProba(x[i])), "one row");
                                assertTrue(model.predict(x[i]).startsWith("class " + (m == 0 ? "" : m)));
                            } else assertTrue(Arrays.deepEquals(all.get(m), model.predictProba(x)), "all rows");
                            n++;
                        } while (!done.get());
                        return n;
                    };
                    counts.add(pool.submit(predictor));
                }
                for (int time = 1; time <= 60; time++) {
                    shared.set(MlpClassifier.load(files.get(time % 3), String.class, settings));
                    Thread.sleep(5);
                }
                done.set(true);
                for (Future<Integer> count : counts) assertTrue(count.get() > 0);
            } finally {
                done.set(true);
                pool.shutdownNow();
            }
        }
    }

    /** The same of one estimator that learns anew: until fit is done, all answers are those of the model before. */
    @Test
    void predictionsGoOnDuringAFit() throws Exception {
        final float[][] x = samples();
        final MlpRegressor.Builder settings = MlpRegressor.builder().hidden(40).epochs(20).backend(Backend.pureJava()).threads(1);
        final MlpRegressor model = settings.build();
        final float[] up = new float[x.length], down = new float[x.length];
        for (int i = 0; i < x.length; i++) down[i] = -(up[i] = 100 + x[i][3]);
        final float was = model.fit(x, up).predict(x[0])[0];
        final float willBe = settings.build().fit(x, down).predict(x[0])[0];
        final ExecutorService pool = Executors.newFixedThreadPool(8);
        final AtomicBoolean done = new AtomicBoolean();
        try {
            final List<Future<?>> predictors = new ArrayList<>();
            for (int t = 0; t < 8; t++)
                predictors.add(pool.submit(() -> {
                    do {
                        final float now = model.predict(x[0])[0];
                        assertTrue(now == was || now == willBe, now + " is neither " + was + " nor " + willBe);
                    } while (!done.get());
                }));
            model.fit(x, down);
            done.set(true);
            for (Future<?> predictor : predictors) predictor.get();
            assertEquals(willBe, model.predict(x[0])[0]);
        } finally {
            done.set(true);
            pool.shutdownNow();
        }
    }
}
