package dev.backblas.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.Dataset;
import dev.backblas.MlpClassifier;
import dev.backblas.MlpRegressor;
import dev.backblas.TableEncoder;
import dev.backblas.backend.Backend;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvTest {

    @TempDir
    Path directory;

    private static final String TABLE = "\ufeffarea, \"city\" ,\"the, \"\"kind\"\"\"\r\n"
        + "30,Rome,house\r\n" + "\r\n" + "41.5,\"Aix, en\nProvence\",flat\r\n" + "-1e2,Rome,house";

    private static Csv csv(String text) {
        return Csv.of("test.csv", () -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    @Test
    void headersQuotesAndTextsAreRead() throws IOException {
        final byte[] plain = TABLE.getBytes(StandardCharsets.UTF_8);
        for (byte[] bytes : new byte[][] {plain, gzip(plain)}) {
            final Csv csv = Csv.of(Files.write(directory.resolve("a.csv"), bytes));
            assertEquals(List.of("area", "city", "the, \"kind\""), csv.header());
            final TableEncoder encoder = csv.learn(csv.learner());
            assertEquals(List.of("area", "city=Aix, en\nProvence", "city=Rome"), encoder.inputNames());
            assertEquals(List.of("flat", "house"), encoder.labels());
            final Dataset data = csv.dataset(encoder);
            assertEquals(3, data.size());
            final float[] x = new float[3], y = new float[1];
            data.copy(1, x, 0, y, 0);
            assertArrayEquals(new float[] {41.5f, 1, 0}, x);
            assertArrayEquals(new float[] {0}, y);
            data.copy(2, x, 0, y, 0);
            assertArrayEquals(new float[] {-100, 0, 1}, x);
        }
    }

    @Test
    void otherSeparatorsAndNoHeader() throws IOException {
        final Csv csv = csv("1;a;0.5\n2;b;1.5\n").separator(';').header(List.of("x", "t", "y"));
        final TableEncoder encoder = csv.learn(csv.learner().target("y"));
        assertEquals(List.of("x", "t=a", "t=b"), encoder.inputNames());
        assertFalse(encoder.isClassification());
        assertEquals(2, csv.dataset(encoder).size());
    }

    /** From a file with texts to predictions for another file with its columns in another order; as a stream, too. */
    @Test
    void aTableIsLearnedAndItsModelReadsOthers() throws IOException {
        final Random random = new Random(1);
        final StringBuilder text = new StringBuilder("id,colour,size,weight,ripe,price\n");
        for (int i = 0; i < 500; i++) {
            final boolean red = random.nextBoolean();
            final double size = 5 + random.nextGaussian();
            text.append(String.format(Locale.ROOT, "fruit %d,%s,%.3f,%d,%s,%.3f%n", i, red ? "red" : "green", size, 1 + i % 2,
                red && size > 4.5 ? "yes" : "no", (red ? 3 : 1) + size));
        }
        final Csv csv = csv(text.toString());
        final TableEncoder encoder = csv.learn(csv.learner().classes("ripe").weight("weight").drop("price"));
        assertEquals(List.of("colour=green", "colour=red", "size"), encoder.inputNames());
        assertEquals(List.of("id", "price"), encoder.leftOut().keySet().stream().sorted().toList());
        final MlpClassifier<String> model =
            MlpClassifier.builder().hidden(16).batch(32).encoder(encoder).backend(Backend.pureJava()).build();
        final Dataset data = csv.dataset(encoder);
        assertEquals(2, data.weight(1));
        model.fit(data, encoder.labels());
        assertTrue(model.score(data) > 0.97, "score " + model.score(data));

        final Path file = directory.resolve("fruit.safetensors");
        model.save(file);
        final MlpClassifier<String> loaded =
            MlpClassifier.load(file, String.class, MlpClassifier.builder().backend(Backend.pureJava()));
        final float[] x = new float[loaded.inputs()];
        try (Csv.Rows rows = csv("size,shape,colour\n5.9,round,red\n5.9,round,green\n").open()) {
            final TableEncoder.Rows encoded = loaded.encoder().rows(rows.header());
            assertFalse(encoded.hasTargets());
            encoded.inputs(rows.line(), rows.next(), x, 0);
            assertEquals("yes", loaded.predict(x));
            encoded.inputs(rows.line(), rows.next(), x, 0);
            assertEquals("no", loaded.predict(x));
            assertEquals(3, rows.line());
            assertEquals(null, rows.next());
        }

        final TableEncoder prices = csv.learn(csv.learner().target("price").drop("id", "weight", "ripe"));
        final MlpRegressor regressor = MlpRegressor.builder().hidden(16).batch(32).backend(Backend.pureJava()).epochs(40).build();
        assertTrue(regressor.fit(csv.stream(prices)).score(csv.dataset(prices)) > 0.97);
    }

    @Test
    void everyReaderIsClosed() throws IOException {
        final AtomicInteger open = new AtomicInteger();
        final Csv csv = Csv.of("counted", () -> {
            open.incrementAndGet();
            return new FilterInputStream(new ByteArrayInputStream("x,y\n1,2.5\n2,x\n".getBytes(StandardCharsets.UTF_8))) {
                private boolean closed;

                @Override
                public void close() {
                    if (!closed) open.decrementAndGet();
                    closed = true;
                }
            };
        });
        csv.header();
        final TableEncoder encoder = csv.learn(csv.learner().target("x"));
        csv.dataset(encoder);
        assertThrows(IOException.class, () -> csv.learn(csv.learner().quantities("y")));
        assertThrows(IOException.class, () -> csv.stream(csv("z,x\n1,2\n").learn(csv("z,x\n1,2\n").learner())).open());
        assertEquals(0, open.get());
    }

    @Test
    void whatIsWrongIsSaidWithItsPlace() throws IOException {
        final Path missing = directory.resolve("none.csv");
        refused(missing + ": no such file", () -> Csv.of(missing).header());
        refused(directory + ": it is a directory; expected a file", () -> Csv.of(directory).header());
        refused("test.csv: it is empty; expected a header line and rows", () -> csv("").header());
        refused("test.csv: there is no row; expected 1 or more", () -> learned("a,b\n"));
        refused("test.csv: line 3: it has 3 fields; expected 2, as the header has", () -> learned("a,b\n1,2\n1,2,3\n"));
        refused("test.csv: line 4: it has 1 field; expected 2, as the header has", () -> learned("a,b\n\"1\n\",2\n1\n"));
        refused("test.csv: two columns are named 'a'; expected one", () -> learned("a,a\n1,2\n"));
        refused("test.csv: line 3, column 'a': the field is empty; expected a value (fill it in, or leave out the row or the "
            + "column)", () -> learned("a,b\n1,2\n,3\n"));
        final TableEncoder encoder = learned("a,b\n1,2.5\n");
        refused("test.csv: line 2, column 'a': 'one' is not a number", () -> csv("b,a\n1,one\n").dataset(encoder));
        refused("test.csv: there is no column 'a', which the model needs; the columns are b, c",
                () -> csv("b,c\n1,one\n").dataset(encoder));
        refused("test.csv: there is no column 'b', the target; the columns are a, c",
                () -> csv("a,c\n1,1\n").dataset(encoder));
        refused("test.csv: there is no sample; expected 1 or more", () -> csv("a,b\n").dataset(encoder));
        final byte[] zipped = gzip(TABLE.repeat(100).getBytes(StandardCharsets.UTF_8));
        final Path cut = Files.write(directory.resolve("cut.gz"), Arrays.copyOf(zipped, zipped.length - 20));
        refused(cut + ": the gzip stream is cut short", () -> Csv.of(cut).learn(Csv.of(cut).learner()));
        final Path latin = Files.write(directory.resolve("latin.csv"), "a,b\n1,\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        refused(latin + ": it is not text in UTF-8", () -> Csv.of(latin).learn(Csv.of(latin).learner()));
    }

    private static TableEncoder learned(String text) throws IOException {
        return csv(text).learn(csv(text).learner());
    }

    private interface Reading {
        Object read() throws IOException;
    }

    private static void refused(String message, Reading reading) {
        assertEquals(message, assertThrows(IOException.class, reading::read).getMessage());
    }
}
