package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of estimators in files. The files of networks are the matter of {@link ModelFileTest}. */
class EstimatorFileTest {

    @TempDir
    Path directory;

    private static final float[][] X = new float[60][];

    static {
        final Random random = new Random(1);
        for (int i = 0; i < X.length; i++)
            X[i] = new float[] {(float) random.nextGaussian() * 1e-7f, 5, (float) random.nextGaussian() * 3e8f};
    }

    private enum Colour { RED, GREEN, BLUE }

    private static <L> MlpClassifier<L> trained(List<L> labels) {
        final MlpClassifier<L> model = MlpClassifier.builder().hidden(6).epochs(3).backend(Backend.pureJava()).build();
        return model.fit(X, IntStream.range(0, X.length).mapToObj(i -> labels.get(i % labels.size())).toList());
    }

    private static MlpClassifier.Builder inJava() {
        return MlpClassifier.builder().backend(Backend.pureJava());
    }

    private <L> void comesBack(Class<L> type, List<L> labels) throws IOException {
        final Path file = directory.resolve("a.safetensors");
        final MlpClassifier<L> saved = trained(labels);
        saved.save(file);
        final MlpClassifier<L> loaded = MlpClassifier.load(file, type, inJava());
        assertEquals(saved.labels(), loaded.labels());
        assertEquals(saved.toString(), loaded.toString());
        assertEquals(saved.scaler(), loaded.scaler());
        assertArrayEquals(saved.predictProba(X), loaded.predictProba(X));
        assertEquals(saved.predict(X), loaded.predict(X));
    }

    @Test
    void labelsOfManyTypesComeBack() throws IOException {
        comesBack(String.class, List.of("a \"quoted\" one", "ünïcode 💡", "", "\u0000\n"));
        comesBack(Integer.class, List.of(-1, 7));
        comesBack(Long.class, List.of(Long.MIN_VALUE, 0L, Long.MAX_VALUE));
        comesBack(Double.class, List.of(0.1, 1e300));
        comesBack(Boolean.class, List.of(true, false));
        comesBack(Character.class, List.of('x', 'y', 'z'));
        comesBack(Colour.class, List.of(Colour.RED, Colour.BLUE));
        final Path file = directory.resolve("a.safetensors");
        trained(List.of(List.of(1), List.of(2))).predict(X); // of any type in memory
        final MlpClassifier<List<Integer>> lists = trained(List.of(List.of(1), List.of(2)));
        final String message = assertThrows(IllegalStateException.class, () -> lists.save(file)).getMessage();
        assertTrue(message.startsWith("save: the label '[1]' is a java.util."));
        trained(List.of(1, 2)).save(file);
        assertEquals(List.of(1, 2), MlpClassifier.load(file).labels());
        refused(() -> MlpClassifier.load(file, String.class), "its labels are of the type Integer; expected String");
        trained(List.of("RED", "PINK")).save(file);
        refused(() -> MlpClassifier.load(file, Colour.class), "its label 'PINK' is no constant of Colour");
    }

    @Test
    void everythingOfAModelComesBack() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        final TableEncoder encoder = TableEncoder.learner(List.of("a", "b", "c", "w", "y")).weight("w").text("b")
            .add(1, List.of("1", "7", "2", "1", "3.5")).encoder();
        final MlpRegressor saved =
            MlpRegressor.builder().hidden(5).epochs(3).encoder(encoder).backend(Backend.pureJava()).build();
        final float[][] y = new float[X.length][2];
        for (int i = 0; i < y.length; i++) y[i][0] = i;
        saved.fit(X, y).save(file);
        final MlpRegressor loaded = MlpRegressor.load(file, MlpRegressor.builder().backend(Backend.pureJava()));
        assertEquals(encoder, loaded.encoder());
        assertArrayEquals(saved.predict(X), loaded.predict(X));
        assertEquals(saved.toString(), loaded.toString());
        loaded.partialFit(Dataset.of(X, y)); // and can learn on
        final Network alone = Network.load(file, Backend.pureJava());
        assertArrayEquals(saved.network().predict(X[0]), alone.predict(X[0]));

        final MlpClassifier<String> any = inJava().epochs(2).build();
        any.fitMultiLabel(X, IntStream.range(0, X.length).mapToObj(i -> i % 3 == 0 ? List.of("three") : List.<String>of())
            .toList());
        any.save(file);
        final MlpClassifier<String> same = MlpClassifier.load(file, String.class, inJava());
        assertTrue(same.isMultiLabel());
        assertEquals(any.predictLabels(X[0]), same.predictLabels(X[0]));
    }

    @Test
    void oneKindIsNotTheOther() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        trained(List.of("a", "b")).save(file);
        refused(() -> MlpRegressor.load(file), "it is a classifier; expected a regressor");
        MlpRegressor.builder().epochs(1).backend(Backend.pureJava()).build().fit(X, new float[X.length]).save(file);
        refused(() -> MlpClassifier.load(file), "it is a regressor; expected a classifier");
        Network.builder(2).layer(2, Activation.SOFTMAX).backend(Backend.pureJava()).build().save(file);
        refused(() -> MlpClassifier.load(file), "it is a bare network; expected an estimator (Network.load reads it)");
    }

    /** Every prefix of a file, and thousands with bytes changed, give an IOException of one sentence or a model; nothing else. */
    @Test
    void damageIsReported() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        trained(List.of("a", "b", "c")).save(file);
        final byte[] good = Files.readAllBytes(file);
        for (int length = 0; length < good.length; length++) {
            Files.write(file, Arrays.copyOf(good, length));
            refused(() -> MlpClassifier.load(file, String.class, inJava()), "");
        }
        final Random random = new Random(1);
        for (int time = 0; time < 5000; time++) {
            final byte[] damaged = good.clone();
            for (int n = 1 + random.nextInt(3); n > 0; n--) damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            Files.write(file, damaged);
            try {
                MlpClassifier.load(file, String.class, inJava()).predict(X[0]);
            } catch (IOException expected) {
                assertTrue(expected.getMessage().startsWith(file + ": is not a model that can be read: "), expected.getMessage());
            }
        }
    }

    @Test
    void hostileMetadataAreRefused() throws IOException {
        changed(header -> header.replace(",\\\"c\\\"]", "]"),
                "the network ends in 3 outputs of SOFTMAX, which do not fit 2 different labels");
        changed(header -> header.replace("\\\"b\\\"", "\\\"a\\\""), "do not fit 3 different labels");
        changed(header -> header.replace("\\\"b\\\"", "{}"), "label 1 is {}; expected a String");
        changed(header -> header.replace("\\\"b\\\"", "null"), "label 1 is null; expected a String");
        changed(header -> header.replace("String", "Runtime"), "its labels are of the type 'Runtime', which is unknown");
        changed(header -> header.replace("\"inputs.mean\":\"[", "\"inputs.mean\":\"[1,"),
                "its inputs.mean has 4 numbers; expected 3");
        changed(header -> header.replace("\"inputs.mean\":\"[", "\"inputs.mean\":\"[[[["), "");
        changed(header -> header.replaceFirst("\"inputs.deviation\":\"\\[[^,]*,", "\"inputs.deviation\":\"[-1,"),
                "scaler: column 0 has the mean");
        changed(header -> header.replaceFirst("\"inputs.deviation\":\"[^\"]*\",", ""), "its header has no inputs.deviation");
        changed(header -> header.replace("\"estimator\":\"classifier\"", "\"estimator\":\"oracle\""),
                "its estimator 'oracle' is unknown to this release");
        changed(header -> header.replace("\"version\":\"1\"", "\"version\":\"2\""),
                "its version is 2; this release reads version 1");
        changed(header -> header.replace("\"estimator\"", "\"table\":\"{}\",\"estimator\""), "its table has no columns");
        changed(header -> header.replace("\"estimator\"",
                "\"table\":\"{\\\"columns\\\":[{\\\"name\\\":\\\"a\\\"}],\\\"targets\\\":[]}\",\"estimator\""),
                "encoder: it makes 1 values of a row; expected 3, as there are inputs");
    }

    private void changed(UnaryOperator<String> change, String reason) throws IOException {
        final Path file = directory.resolve("hostile.safetensors");
        trained(List.of("a", "b", "c")).save(file);
        final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        final byte[] json = new byte[(int) bytes.getLong()];
        bytes.get(json);
        final String header = new String(json, StandardCharsets.UTF_8), other = change.apply(header);
        assertTrue(!header.equals(other), "the test changes nothing in " + header);
        final byte[] hostile = other.getBytes(StandardCharsets.UTF_8);
        Files.write(file, ByteBuffer.allocate(8 + hostile.length + bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN)
            .putLong(hostile.length).put(hostile).put(bytes).array());
        refused(() -> MlpClassifier.load(file, String.class, inJava()), reason);
    }

    private interface Loading {
        Object load() throws IOException;
    }

    private static void refused(Loading loading, String reason) {
        final String message = assertThrows(IOException.class, loading::load).getMessage();
        assertTrue(message.contains(": is not a model that can be read: ") && message.contains(reason), message);
        assertTrue(message.lines().count() <= 1, message);
    }
}
