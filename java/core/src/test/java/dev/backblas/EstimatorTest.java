package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link MlpClassifier} and {@link MlpRegressor} on problems whose answers are known. */
class EstimatorTest {

    private static final Random RANDOM = new Random(1);

    /** Two columns of quite different size; three classes that straight lines tell apart. */
    private static final float[][] X = new float[400][];
    private static final String[] KINDS = new String[X.length];
    private static final float[] AREA = new float[X.length];

    static {
        for (int i = 0; i < X.length; i++) {
            final double a = RANDOM.nextGaussian(), b = RANDOM.nextGaussian();
            X[i] = new float[] {(float) (1000 + 100 * a), (float) (0.01 * b)};
            KINDS[i] = a > 0.5 ? "large" : b > 0 ? "round" : "flat";
            AREA[i] = (float) (5000 + 700 * a - 300 * b * a);
        }
    }

    private static MlpClassifier.Builder classifier() {
        return MlpClassifier.builder().hidden(16).backend(Backend.pureJava()).batch(32).rate(0.01);
    }

    private static MlpRegressor.Builder regressor() {
        return MlpRegressor.builder().hidden(16).backend(Backend.pureJava()).batch(32).rate(0.01);
    }

    // ---- Classes

    @Test
    void classesAreLearnedWhateverTheirLabels() {
        final MlpClassifier<String> model = classifier().build();
        assertSame(model, model.fit(X, KINDS));
        assertEquals(List.of("flat", "large", "round"), model.labels());
        assertTrue(model.score(X, KINDS) > 0.97, "score " + model.score(X, KINDS));
        final int[] numbers = Arrays.stream(KINDS).mapToInt(kind -> model.labels().indexOf(kind)).toArray();
        final MlpClassifier<Integer> byNumber = classifier().build();
        byNumber.fit(X, IntStream.of(numbers).mapToObj(n -> 10 * n).toList());
        assertEquals(List.of(0, 10, 20), byNumber.labels());
        assertArrayEquals(model.predictProba(X[7]), byNumber.predictProba(X[7]), "labels change nothing");
    }

    @Test
    void predictionsAgreeWithEachOther() {
        final MlpClassifier<String> model = classifier().epochs(5).build();
        model.fit(X, KINDS);
        final float[][] p = model.predictProba(X);
        final float[] flat = new float[3 * X.length], x = new float[2 * X.length];
        for (int i = 0; i < X.length; i++) System.arraycopy(X[i], 0, x, 2 * i, 2);
        model.predictProba(x, X.length, flat);
        final List<String> predicted = model.predict(X);
        double right = 0;
        for (int i = 0; i < X.length; i++) {
            assertEquals(1, p[i][0] + p[i][1] + p[i][2], 1e-5);
            assertArrayEquals(p[i], Arrays.copyOfRange(flat, 3 * i, 3 * i + 3));
            assertArrayEquals(p[i], model.predictProba(X[i]), 1e-5f);
            int best = 0;
            for (int k = 1; k < 3; k++) if (p[i][k] > p[i][best]) best = k;
            assertEquals(model.labels().get(best), predicted.get(i));
            if (predicted.get(i).equals(KINDS[i])) right++;
        }
        assertEquals(right / X.length, model.score(X, KINDS), 1e-12);
    }

    @Test
    void twoClassesAreOneOutputAndTwoProbabilities() {
        final MlpClassifier<Boolean> model = classifier().build();
        model.fit(X, Arrays.stream(KINDS).map(kind -> kind.equals("large")).toList());
        assertEquals(List.of(false, true), model.labels());
        assertEquals(1, model.network().outputs());
        for (int i = 0; i < 20; i++) {
            final float[] p = model.predictProba(X[i]);
            assertEquals(1, p[0] + p[1], 1e-6);
            assertEquals(p[1] > p[0], model.predict(X[i]));
        }
        assertTrue(model.score(X, Arrays.stream(KINDS).map(kind -> kind.equals("large")).toList()) > 0.97);
    }

    @Test
    void aSampleMayHaveSeveralLabelsOrNone() {
        final List<Set<String>> labels = new ArrayList<>();
        for (float[] x : X) {
            final Set<String> of = new TreeSet<>();
            if (x[0] > 1000) of.add("heavy");
            if (x[1] > 0) of.add("positive");
            labels.add(of);
        }
        final MlpClassifier<String> model = classifier().build();
        model.fitMultiLabel(X, labels);
        assertTrue(model.isMultiLabel());
        assertEquals(List.of("heavy", "positive"), model.labels());
        assertEquals(Set.of("heavy", "positive"), model.predictLabels(new float[] {1150, 0.015f}));
        assertEquals(Set.of(), model.predictLabels(new float[] {850, -0.015f}));
        assertEquals(Set.of("positive"), model.predictLabels(new float[] {850, 0.015f}));
        assertEquals(List.of(Set.of("heavy", "positive"), Set.of("heavy")),
                     model.predictLabels(new float[][] {{1150, 0.015f}, {1150, -0.015f}}));
        final float[][] y = new float[X.length][];
        for (int i = 0; i < y.length; i++)
            y[i] = new float[] {labels.get(i).contains("heavy") ? 1 : 0, labels.get(i).contains("positive") ? 1 : 0};
        final Dataset data = Dataset.of(X, y);
        assertTrue(model.score(data) > 0.95);
        final MlpClassifier<String> again = MlpClassifier.ofMultiLabel(model.network(), model.labels(), model.scaler(), null);
        assertTrue(again.isMultiLabel());
        assertEquals(model.score(data), again.score(data));
        assertEquals(model.score(data), Metrics.exactMatch(model.network(), data.scaled(model.scaler(), null)));
    }

    /** A class that counts for nothing is never predicted where another one is possible. */
    @Test
    void classWeightsCount() {
        final MlpClassifier<String> model = classifier().classWeights(Map.of("large", 0)).build();
        model.fit(X, KINDS);
        assertFalse(model.predict(X).contains("large"));
    }

    /** One sample in twenty is of the second class, and the two overlap: balanced, both are predicted about as often. */
    @Test
    void balancedClassesCountTheSame() {
        final float[][] x = new float[1000][1];
        final List<Integer> y = new ArrayList<>();
        final Random random = new Random(2);
        for (int i = 0; i < x.length; i++) {
            y.add(i % 20 == 0 ? 1 : 0);
            x[i][0] = (float) (random.nextGaussian() + 0.5 * y.get(i));
        }
        final MlpClassifier<Integer> plain = classifier().hidden().epochs(30).build();
        final MlpClassifier<Integer> balanced = classifier().hidden().epochs(30).balanced().build();
        plain.fit(x, y);
        balanced.fit(x, y);
        assertTrue(plain.predict(x).stream().filter(k -> k == 1).count() < 10);
        final long ones = balanced.predict(x).stream().filter(k -> k == 1).count();
        assertTrue(ones > 250 && ones < 700, ones + " ones");
    }

    /** A class whose samples all weigh nothing is as if it were not there, and no division by 0. */
    @Test
    void aBalancedClassMayWeighNothing() {
        final Dataset data = Dataset.of(new float[][] {{1}, {2}, {3}}, new float[][] {{0}, {1}, {2}});
        final MlpClassifier<String> model = classifier().hidden().rate(0.1).balanced().build();
        model.fit(data.weighted(new float[] {1, 0, 1}), List.of("a", "b", "c"));
        assertEquals(List.of("a", "c"), model.predict(new float[][] {{1}, {3}}));
    }

    /** Weight 0 is as if the sample were not there; and a score counts by weight. */
    @Test
    void sampleWeightsCount() {
        final float[][] x = {{1}, {1}, {1}, {2}, {2}, {2}};
        final float[] wrong = {1, 0, 0, 0, 1, 1}, weights = {1, 0, 0, 1, 0, 0};
        final float[][] y = new float[6][1];
        for (int i = 0; i < 6; i++) y[i][0] = wrong[i];
        final MlpClassifier<String> model = classifier().hidden().rate(0.1).build();
        final Dataset data = Dataset.of(x, y).weighted(weights);
        model.fit(data, List.of("a", "b"));
        assertEquals("b", model.predict(new float[] {1}));
        assertEquals("a", model.predict(new float[] {2}));
        assertEquals(1, model.score(data));
        assertEquals(2 / 6.0, model.score(Dataset.of(x, y)), 1e-12);
    }

    @Test
    void partialFitGoesOnWhereItWas() {
        final MlpClassifier<String> model = classifier().build();
        final List<String> kinds = Arrays.asList(KINDS);
        assertEquals("partialFit: the classes are not known yet; expected them as the third argument, or a call of fit before",
                     assertThrows(IllegalStateException.class, () -> model.partialFit(X, kinds)).getMessage());
        for (int epoch = 0; epoch < 40; epoch++)
            for (int i = 0; i < 400; i += 100) // the first part sets the classes and the scale
                model.partialFit(Arrays.copyOfRange(X, i, i + 100), kinds.subList(i, i + 100), List.of("flat", "large", "round"));
        assertTrue(model.score(X, KINDS) > 0.95, "score " + model.score(X, KINDS));
        final Scaler scaler = model.scaler();
        model.partialFit(X, kinds);
        assertEquals(scaler, model.scaler());
        rejected("partialFit: the label of row 0 is 'cube'; expected one of [flat, large, round]",
                 () -> model.partialFit(new float[][] {{1, 2}}, List.of("cube")));
        rejected("partialFit: samples have 3 values, but the model has 2 inputs",
                 () -> model.partialFit(new float[][] {{1, 2, 3}}, List.of("flat")));
        rejected("partialFit: the classes are [flat, round], but those of the model are [flat, large, round]",
                 () -> model.partialFit(new float[1][2], List.of("flat"), List.of("flat", "round")));
    }

    /** The optimizer remembers: an epoch more by partialFit ends in the bits of a fit with an epoch more. */
    @Test
    void aPassMoreIsAnEpochMore() {
        final MlpRegressor longer = regressor().threads(1).epochs(4).noEarlyStopping().build().fit(X, AREA);
        final MlpRegressor further = regressor().threads(1).epochs(3).noEarlyStopping().build().fit(X, AREA);
        assertFalse(Arrays.equals(longer.network().parameters(), further.network().parameters()));
        further.partialFit(X, AREA);
        assertArrayEquals(longer.network().parameters(), further.network().parameters());
        assertEquals(4, further.history().size());
        final MlpRegressor passes = regressor().threads(1).build();
        for (int pass = 0; pass < 4; pass++) passes.partialFit(X, AREA);
        assertArrayEquals(longer.network().parameters(), passes.network().parameters());
    }

    @Test
    void trainingStopsWhereItIsBest() {
        final List<Integer> seen = new ArrayList<>();
        final MlpClassifier<String> model = classifier().hidden(40).rate(0.03).validation(0.25).earlyStopping(5, 0)
            .listener(new Trainer.Listener() {
                @Override
                public void epoch(History.Epoch epoch) {
                    seen.add(epoch.number());
                }
            }).build();
        model.fit(X, KINDS);
        final List<History.Epoch> history = model.history();
        assertEquals(IntStream.rangeClosed(1, history.size()).boxed().toList(), seen);
        assertTrue(history.size() < 200);
        double best = Double.POSITIVE_INFINITY;
        for (History.Epoch epoch : history.subList(0, history.size() - 5)) best = Math.min(best, epoch.validationLoss());
        for (History.Epoch epoch : history.subList(history.size() - 5, history.size()))
            assertTrue(epoch.validationLoss() >= best && epoch.metric() > 0.8, "" + epoch);
        final MlpClassifier<String> given =
            classifier().epochs(3).validation(Dataset.of(new float[][] {X[0]}, new float[][] {{2}})).build();
        given.fit(X, KINDS);
        assertFalse(Double.isNaN(given.history().get(2).validationLoss()));
        rejected("fit: the target of row 0 is 7.0; expected the number of a class, 0 to 2",
                 () -> classifier().validation(Dataset.of(new float[1][2], new float[][] {{7}})).<String>build().fit(X, KINDS));
    }

    @Test
    void aCancelledFitLeavesAModel() {
        final List<MlpRegressor> model = new ArrayList<>();
        model.add(regressor().listener(new Trainer.Listener() {
            @Override
            public void step(int epoch, int samples, int size, double meanLoss) {
                if (epoch == 3) model.get(0).cancel();
            }
        }).build());
        model.get(0).fit(X, AREA);
        assertEquals(2, model.get(0).history().size());
        assertTrue(Float.isFinite(model.get(0).predict(X[0])[0]));
    }

    /** Stopped after 3 epochs and resumed from the file, training ends in the same bits as without a stop. */
    @Test
    void aCheckpointIsResumed(@TempDir Path directory) {
        final Path file = directory.resolve("run.checkpoint");
        final MlpRegressor whole = regressor().threads(1).dropout(0.1).epochs(8).build().fit(X, AREA);
        final MlpRegressor begun = regressor().threads(1).dropout(0.1).epochs(3).checkpoint(file, true).build().fit(X, AREA);
        assertEquals(3, begun.history().size());
        final MlpRegressor resumed = regressor().threads(1).dropout(0.1).epochs(8).checkpoint(file, true).build().fit(X, AREA);
        assertEquals(8, resumed.history().size());
        assertArrayEquals(whole.network().parameters(), resumed.network().parameters());
        assertTrue(assertThrows(UncheckedIOException.class,
            () -> regressor().hidden(5).checkpoint(file, true).build().fit(X, AREA)).getMessage().startsWith(file + ": "));
    }

    @Test
    void everySettingOfTheTrainerIsThere() {
        final MlpRegressor model = regressor().layer(12, Activation.GELU, 0.1).layer(8, Activation.SILU).inputDropout(0.05)
            .loss(Loss.HUBER).optimizer(Optimizer.adamW(0.01)).schedule(Schedule.cosine(60, 0.1).warmUp(2)).l1(1e-5).clipNorm(1)
            .epochs(60).build().fit(X, AREA);
        assertEquals("2-16:relu-12:gelu-8:silu-1:identity", model.network().toString());
        assertTrue(model.score(X, AREA) > 0.8, "score " + model.score(X, AREA));
        final float[] counts = new float[X.length];
        for (int i = 0; i < counts.length; i++) counts[i] = X[i][1] > 0 ? 5 : 1;
        final MlpRegressor poisson = regressor().loss(Loss.POISSON).build().fit(X, counts);
        assertEquals(Activation.SOFTPLUS, poisson.network().layer(2).activation());
        assertTrue(poisson.score(X, counts) > 0.8, "score " + poisson.score(X, counts));
        // One's own: who underestimates pays three times as much
        final Loss cautious = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
            double cost = 0;
            for (int k = 0; k < n; k++) {
                final float r = a[aOffset + k] - y[yOffset + k], weight = r < 0 ? 3 : 1;
                gradient[gradientOffset + k] = weight * r;
                cost += 0.5 * weight * r * r;
            }
            return cost;
        };
        final MlpRegressor plain = regressor().hidden().rate(0.1).build().fit(new float[X.length][1], AREA);
        final MlpRegressor careful = regressor().hidden().rate(0.1).loss(cautious).build().fit(new float[X.length][1], AREA);
        assertTrue(careful.predict(new float[1])[0] > plain.predict(new float[1])[0] + 100);
    }

    @Test
    void aFailedFitLeavesTheOldModel() {
        final MlpRegressor model = regressor().epochs(3).build().fit(X, AREA);
        final float[] before = model.predict(X[0]);
        rejected("dataset: x is NaN in row 1, column 1; expected a finite number",
                 () -> model.fit(new float[][] {{1, 2}, {3, Float.NaN}}, new float[] {1, 2}));
        assertArrayEquals(before, model.predict(X[0]));
        final MlpRegressor wild = regressor().standardize(false).optimizer(Optimizer.sgd()).rate(1e30).build();
        assertThrows(IllegalStateException.class, () -> wild.fit(X, AREA));
        assertFalse(wild.isFitted());
    }

    @Test
    void theSameSeedGivesTheSameModel() {
        final MlpClassifier<String> one = classifier().threads(1).build(), two = classifier().threads(1).build();
        one.fit(X, KINDS);
        two.fit(X, KINDS);
        assertArrayEquals(one.network().parameters(), two.network().parameters());
        final MlpClassifier<String> other = classifier().threads(1).seed(2).build();
        other.fit(X, KINDS);
        assertFalse(Arrays.equals(one.network().parameters(), other.network().parameters()));
    }

    // ---- Quantities

    @Test
    void quantitiesAreLearnedInTheirOwnUnit() {
        final MlpRegressor model = regressor().build().fit(X, AREA);
        assertTrue(model.score(X, AREA) > 0.95, "score " + model.score(X, AREA));
        assertEquals(AREA[3], model.predict(X[3])[0], 300);
        final float[] out = new float[2];
        model.predict(new float[] {X[3][0], X[3][1], X[4][0], X[4][1]}, 2, out);
        assertArrayEquals(new float[] {model.predict(X[3])[0], model.predict(X[4])[0]}, out, 0.05f);
        final float[][] rows = model.predict(new float[][] {X[3], X[4]});
        assertArrayEquals(out, new float[] {rows[0][0], rows[1][0]});
    }

    @Test
    void severalQuantitiesAreLearnedAtOnce() {
        final float[][] y = new float[X.length][];
        for (int i = 0; i < y.length; i++) y[i] = new float[] {X[i][1] * 1e6f, AREA[i], 7};
        final MlpRegressor model = regressor().build().fit(X, y);
        assertEquals(3, model.outputs());
        assertEquals(7, model.predict(X[0])[2], "what never changes is known");
        final double score = model.score(X, y);
        assertTrue(score > 0.97);
        model.partialFit(X, y);
        assertNotEquals(score, model.score(X, y), "it learns further");
        rejected("score: samples have 1 targets, but the model has 3 outputs", () -> model.score(X, AREA));
    }

    /** R² as scikit-learn's r2_score gives it: sample weights, and the mean over the outputs. */
    @Test
    void scoreIsRSquared() {
        final Network identity = Network.builder(2).layer(2, Activation.IDENTITY).backend(Backend.pureJava()).build();
        identity.weights(1).put(new float[] {1, 0, 0, 1});
        final MlpRegressor model = MlpRegressor.of(identity, null, null);
        final float[][] x = {{1, 5}, {2, 5}, {4, 5}}, y = {{1, 5}, {2, 5}, {3, 5}};
        assertEquals((0.5 + 1) / 2, model.score(Dataset.of(x, y)), 1e-6);
        // mean 2.25, Σ w (y − ȳ)² = 2.75, Σ w (ŷ − y)² = 2
        assertEquals((1 - 2 / 2.75 + 1) / 2, model.score(Dataset.of(x, y).weighted(new float[] {1, 1, 2})), 1e-6);
    }

    @Test
    void standardisationIsKeptAndCanBeLeftOut() {
        final float[][] x = {{1, 7}, {3, 7}, {5, 7}};
        final MlpRegressor model = regressor().epochs(1).build().fit(x, new float[] {10, 20, 30});
        final Scaler scaler = model.scaler();
        assertArrayEquals(new float[] {3, 7}, scaler.mean());
        assertArrayEquals(new float[] {(float) Math.sqrt(8 / 3.0), Float.POSITIVE_INFINITY}, scaler.deviation(), 1e-6f);
        final MlpRegressor plain = regressor().standardize(false).epochs(1).build().fit(x, new float[] {10, 20, 30});
        assertNull(plain.scaler());
        assertArrayEquals(plain.network().predict(x[0]), plain.predict(x[0]));
        rejected("fit: column 0 of x varies by 1.0000000409184788E35; expected 1e-30 to 1e30: change its unit",
                 () -> regressor().build().fit(new float[][] {{1e35f}, {-1e35f}}, new float[] {1, 2}));
    }

    // ---- What cannot be

    @Test
    void whatIsNotFiniteIsRefusedWithItsPlace() {
        rejected("dataset: x is Infinity in row 1, column 0; expected a finite number",
                 () -> regressor().build().fit(new float[][] {{1, 2}, {Float.POSITIVE_INFINITY, 4}}, new float[] {1, 2}));
        rejected("dataset: y is NaN in row 0, column 0; expected a finite number",
                 () -> regressor().build().fit(new float[][] {{1, 2}, {3, 4}}, new float[] {Float.NaN, 2}));
        rejected("fit: x is NaN in row 2, column 1; expected a finite number",
                 () -> classifier().<String>build().fit(new Computed(5, 2), List.of("a", "b")));
        final MlpRegressor model = regressor().epochs(1).build().fit(X, AREA);
        rejected("predict: x is NaN in row 1, column 1; expected a finite number",
                 () -> model.predict(new float[][] {{1, 2}, {3, Float.NaN}}));
    }

    /** Computes its samples; one is NaN. */
    private record Computed(int size, int nanIn) implements Dataset {
        @Override
        public int inputs() {
            return 2;
        }

        @Override
        public int outputs() {
            return 1;
        }

        @Override
        public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
            x[xOffset] = i;
            x[xOffset + 1] = i == nanIn ? Float.NaN : -i;
            y[yOffset] = i % 2;
        }
    }

    @Test
    void nonsenseIsRefused() {
        final MlpClassifier<String> model = classifier().build();
        rejected("fit: there is 1 class (a); expected 2 or more",
                 () -> model.fit(new float[][] {{1}, {2}}, List.of("a", "a")));
        rejected("dataset: x has 2 rows and y has 1; expected as many of each, 1 or more",
                 () -> model.fit(new float[][] {{1}, {2}}, List.of("a")));
        rejected("fit: the label of row 1 is null; expected one",
                 () -> model.fit(new float[][] {{1}, {2}}, new String[] {"a", null}));
        rejected("fit: the target of row 1 is 2.0; expected the number of a class, 0 to 1",
                 () -> model.fit(Dataset.of(new float[][] {{1}, {2}}, new float[][] {{1}, {2}}), List.of("a", "b")));
        rejected("fit: samples have 2 targets; expected 1, the number of their class",
                 () -> model.fit(Dataset.of(new float[][] {{1}, {2}}, new float[][] {{1, 0}, {0, 1}}), List.of("a", "b")));
        rejected("fit: two classes have the same label; expected all to differ",
                 () -> model.fit(Dataset.of(new float[][] {{1}, {2}}, new float[][] {{1}, {0}}), List.of("a", "a")));
        rejected("fitMultiLabel: target 0 of row 1 is 2.0; expected 0 to 1",
                 () -> model.fitMultiLabel(Dataset.of(new float[2][1], new float[][] {{1, 0}, {2, 1}}), List.of("a", "b")));
        assertEquals("predict: the estimator knows nothing yet; call fit first, or load a model",
                     assertThrows(IllegalStateException.class, () -> model.predict(new float[] {1})).getMessage());
        model.fit(X, KINDS);
        rejected("predict: row 0 has 3 values; expected 2, the inputs of the model", () -> model.predict(new float[3]));
        rejected("predict: row 1 is null; expected 2, the inputs of the model",
                 () -> model.predict(new float[][] {{1, 2}, null}));
        rejected("predict: there is no row; expected 1 or more", () -> model.predict(new float[0][]));
        rejected("predictProba: out has 5 values; expected 2 samples of 3, 6",
                 () -> model.predictProba(new float[4], 2, new float[5]));
        final MlpClassifier.Builder builder = MlpClassifier.builder().hidden(7);
        rejected("hidden layer: it has 0 units; expected 1 or more", () -> builder.hidden(5, 0));
        assertEquals("MlpClassifier (not fitted; hidden layers: 7:relu)", builder.build().toString(), "it is as it was");
        rejected("hidden layer: softmax is for the output; expected another activation",
                 () -> MlpClassifier.builder().activation(Activation.SOFTMAX));
        rejected("epochs: it is 0; expected 1 or more", () -> MlpClassifier.builder().epochs(0));
        rejected("class weights: that of 'a' is -1; expected a finite number, 0 or more",
                 () -> MlpClassifier.builder().classWeights(Map.of("a", -1)));
        rejected("dataset: the weight of sample 1 is NaN; expected a finite number, 0 or more",
                 () -> Dataset.of(new float[2][1], new float[2][1]).weighted(new float[] {1, Float.NaN}));
        rejected("fit: every sample has the weight 0; expected one above 0 at least",
                 () -> regressor().build().fit(Dataset.of(new float[2][1], new float[2][1]).weighted(new float[2])));
        rejected("fitMultiLabel: no row has a label; expected one at least",
                 () -> model.fitMultiLabel(new float[2][1], List.of(List.of(), List.of())));
        rejected("fitMultiLabel: the labels of row 1 are null; expected none or several",
                 () -> model.fitMultiLabel(new float[2][1], Arrays.asList(List.of("a"), null)));
        final TableEncoder encoder = TableEncoder.learner(List.of("x", "y")).add(1, List.of("1", "2")).encoder();
        rejected("encoder: it makes 1 values of a row; expected 2, as there are inputs",
                 () -> regressor().encoder(encoder).build().fit(X, AREA));
    }

    /** What is forgotten is named where it is given, not where it is needed. */
    @Test
    void nullIsRefusedByName() {
        final MlpRegressor model = regressor().epochs(1).build().fit(X, AREA);
        final float[] none = null;
        final Map<String, Runnable> calls = new LinkedHashMap<>();
        calls.put("activation", () -> regressor().activation(null));
        calls.put("initialization", () -> regressor().initialization(null));
        calls.put("loss", () -> regressor().loss(null));
        calls.put("optimizer", () -> regressor().optimizer(null));
        calls.put("schedule", () -> regressor().schedule(null));
        calls.put("listener", () -> regressor().listener(null));
        calls.put("file", () -> regressor().checkpoint(null, true));
        calls.put("backend", () -> regressor().backend(null));
        calls.put("encoder", () -> regressor().encoder(null));
        calls.put("data", () -> model.fit((Dataset) null));
        calls.put("y", () -> model.fit(X, none));
        calls.put("x", () -> model.fit(null, AREA));
        calls.put("labels", () -> classifier().<String>build().fit(X, (String[]) null));
        calls.put("classes", () -> classifier().<String>build().partialFit(X, List.of(KINDS), null));
        calls.put("out", () -> model.predict(new float[2], 1, null));
        calls.put("weights", () -> Dataset.of(X, X).weighted(null));
        calls.forEach((name, call) ->
            assertEquals(name, assertThrows(NullPointerException.class, call::run, name).getMessage()));
        rejected("dataset: row 1 of x is null; expected values", () -> model.fit(new float[][] {{1, 2}, null}, new float[2]));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void theySayWhatTheyAre() {
        final MlpClassifier<String> model = MlpClassifier.builder().hidden(20, 10).activation(Activation.TANH)
            .backend(Backend.pureJava()).epochs(1).build();
        assertEquals("MlpClassifier (not fitted; hidden layers: 20:tanh-10:tanh)", model.toString());
        model.fit(X, KINDS);
        assertEquals("MlpClassifier (2-20:tanh-10:tanh-3:softmax; 3 classes [flat, large, round]; inputs standardised)",
                     model.toString());
        assertEquals("MlpRegressor (not fitted; hidden layers: none)", MlpRegressor.builder().hidden().build().toString());
        assertEquals("MlpRegressor (2-3:relu-4:leaky_relu-1:identity; 1 output; inputs standardised; targets standardised)",
                     MlpRegressor.builder().layer(3, Activation.RELU).layer(4, Activation.LEAKY_RELU)
                         .backend(Backend.pureJava()).epochs(1).build().fit(X, AREA).toString());
    }
}
