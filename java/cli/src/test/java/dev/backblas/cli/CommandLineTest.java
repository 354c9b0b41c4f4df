package dev.backblas.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.backblas.MlpRegressor;
import dev.backblas.data.Csv;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {

    static final boolean NATIVE = Boolean.parseBoolean(System.getProperty("backblas.test.native", "true"));

    @TempDir
    Path directory;

    /** What a command line printed, and how it ended. */
    record Ran(int exit, String out, String err) {

        double accuracyOfAll() {
            return Double.parseDouble(out.substring(0, out.indexOf(" %")));
        }

        double number(String before) {
            final Matcher matcher = Pattern.compile(Pattern.quote(before) + "\\s*([0-9.]+(e[-+]\\d+)?)").matcher(out);
            assertTrue(matcher.find(), "no number after '" + before + "' in:\n" + out);
            return Double.parseDouble(matcher.group(1));
        }

        double accuracy() {
            final Matcher matcher = Pattern.compile("(?m)^([0-9.]+) % of the").matcher(out);
            assertTrue(matcher.find(), "no accuracy in:\n" + out + err);
            return Double.parseDouble(matcher.group(1));
        }
    }

    static Ran run(String... arguments) {
        final PrintStream out = System.out, err = System.err;
        final ByteArrayOutputStream outBytes = new ByteArrayOutputStream(), errBytes = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
            return new Ran(Main.run(arguments), outBytes.toString(StandardCharsets.UTF_8),
                           errBytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private Ran train(String... arguments) {
        final String[] all = Arrays.copyOf(arguments, arguments.length + 3);
        all[arguments.length] = "--out";
        all[arguments.length + 1] = directory.resolve("model.safetensors").toString();
        all[arguments.length + 2] = "--seed=1";
        final String[] command = new String[all.length + 1];
        command[0] = "train";
        System.arraycopy(all, 0, command, 1, all.length);
        return run(command);
    }

    /** Ends with 2, one sentence and no stack trace, and leaves no file behind. */
    private void refused(String sentence, String... arguments) throws IOException {
        final List<Path> before = files();
        final Ran ran = train(arguments);
        assertEquals("backblas: " + sentence + "\n", ran.err);
        assertEquals(Main.WRONG_INPUT, ran.exit);
        assertEquals(before, files());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    private String file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content).toString();
    }

    @Test
    void digitsAreLearnedOnBothBackends() throws IOException {
        final Ran java = train("digits", "--backend", "java");
        assertTrue(java.out.contains("java, 1 thread: pure Java, Vector API"), java.out);
        assertTrue(java.accuracy() >= 96, java.out);
        if (!NATIVE) return;
        final Ran openblas = train("digits");
        assertEquals(0, openblas.exit, openblas.err);
        assertTrue(openblas.out.contains("\nopenblas, "), openblas.out);
        assertTrue(openblas.accuracy() >= 96, openblas.out);
        assertEquals(java.accuracy(), openblas.accuracy(), 1);
    }

    /** The written model takes the data as they stand in the file, and is as right as the one that was trained. */
    @ParameterizedTest
    @CsvSource({"'', 10", "softmax, 10", "quadratic, 10", "binary, 2"})
    void theModelTakesTheDataAsTheyAre(String system, int classes) throws IOException {
        final Ran ran = system.isEmpty() ? train("digits") : train("digits", "--system", system);
        final Model model = Model.load(directory.resolve("model.safetensors"), null);
        assertEquals(classes, model.labels().size());
        final float[] x = new float[64], p = new float[classes];
        int right = 0, rows = 0;
        try (Csv.Rows digits = Tables.bundled("digits").open()) {
            for (List<String> row = digits.next(); row != null; row = digits.next(), rows++) {
                for (int i = 0; i < 64; i++) x[i] = Float.parseFloat(row.get(i));
                model.predictor().predict(x, 1, p);
                int best = 0;
                for (int k = 1; k < classes; k++) if (p[k] > p[best]) best = k;
                if (best == Integer.parseInt(row.get(64)) % classes) right++;
            }
        }
        assertTrue(100.0 * right / rows >= ran.accuracy(), right + " of " + rows + " right, training samples counted");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "regression"})
    void regressionBeatsLeastSquares(String system) throws IOException {
        final Ran ran = system.isEmpty() ? train("boston") : train("--system", system);
        assertTrue(ran.number("is off by") < ran.number("ordinary least squares by"), ran.out);
        final MlpRegressor model = MlpRegressor.load(directory.resolve("model.safetensors"));
        double sum = 0;
        int rows = 0;
        try (Csv.Rows boston = Tables.bundled("boston").open()) {
            for (List<String> row = boston.next(); row != null; row = boston.next(), rows++) {
                final float[] x = new float[13];
                for (int i = 0; i < 13; i++) x[i] = Float.parseFloat(row.get(i));
                sum += Math.pow(model.predict(x)[0] - Float.parseFloat(row.get(13)), 2);
            }
        }
        assertTrue(Math.sqrt(sum / rows) < ran.number("ordinary least squares by"));
    }

    @ParameterizedTest
    @CsvSource({"softmax, 95", "binary, 94", "quadratic, 94", "deep, 94"})
    void everySystemLearnsDigits(String system, double least) {
        final Ran ran = train("--system", system);
        assertTrue(ran.accuracy() >= least, ran.out);
    }

    @Test
    void everyFlagIsHeard() {
        final Ran ran = train("digits", "--system", "deep", "--hidden", "20,12", "--activation", "tanh", "--epochs", "3",
                              "--batch", "7", "--rate", "0.05", "--l2", "0.1", "--threads", "1", "--backend", "java");
        assertEquals(0, ran.exit, ran.err);
        assertTrue(ran.out.contains("deep 64-20:tanh-12:tanh-10:sigmoid, 1,682 parameters\njava, 1 thread: "), ran.out);
        assertTrue(ran.out.contains("after 3 epochs in"), ran.out);
        assertTrue(train("digits", "--hidden", "none", "--epochs=1").out.contains("classifier 64-10:softmax, 650 parameters"));
    }

    @Test
    @DisabledIfSystemProperty(named = "backblas.test.native", matches = "false")
    void theSameSeedGivesTheSameModel() throws IOException {
        train("digits", "--epochs", "2");
        final byte[] first = Files.readAllBytes(directory.resolve("model.safetensors"));
        train("digits", "--epochs", "2");
        assertArrayEquals(first, Files.readAllBytes(directory.resolve("model.safetensors")));
    }

    @Test
    void aTableOfNumbersIsLearned() throws IOException {
        final Random random = new Random(2);
        final StringBuilder circle = new StringBuilder("\ufeff\"x\", y,inside\r\n"), plane = new StringBuilder("a,price,b\n");
        for (int i = 0; i < 600; i++) {
            final double x = 2 * random.nextDouble() - 1, y = 2 * random.nextDouble() - 1;
            circle.append(x).append(",\"").append(y).append("\",").append(x * x + y * y < 0.6 ? 1 : 0).append("\r\n");
            plane.append(100 * x).append(',').append(5 + 3 * x * y).append(',').append(1e6 * y).append('\n');
        }
        final Ran classes = train(file("circle.csv", circle.toString()));
        assertTrue(classes.out.contains("classifier 2-100:relu-1:sigmoid"), classes.out + classes.err);
        assertTrue(classes.accuracy() > 92, classes.out);
        final Ran binary = train(file("circle.csv", circle.toString()), "--system", "binary");
        assertTrue(binary.out.contains("binary 2-32:sigmoid-1:sigmoid"), binary.out + binary.err);
        assertTrue(binary.accuracy() > 92, binary.out);
        final Ran numbers = train(file("plane.csv", plane.toString()), "--target", "price", "--hidden", "10",
                                  "--activation", "tanh", "--epochs", "300");
        assertTrue(numbers.out.contains("regressor 2-10:tanh-1:identity"), numbers.out + numbers.err);
        assertTrue(numbers.number("is off by") < 0.5 * numbers.number("ordinary least squares by"), numbers.out);
    }

    /** A column that never changes, as large as a date, must not drown the others in the model that is written. */
    @Test
    void aConstantColumnDoesNoHarm() throws IOException {
        final Random random = new Random(3);
        final StringBuilder csv = new StringBuilder("a,k,y\n");
        for (int i = 0; i < 300; i++) {
            final double a = random.nextGaussian();
            csv.append(a).append(",1700000000,").append(3 * a + 100).append('\n');
        }
        final Ran ran = train(file("k.csv", csv.toString()), "--system", "regression", "--hidden", "none");
        assertTrue(ran.number("is off by") < 0.1, ran.out + ran.err);
        final MlpRegressor model = MlpRegressor.load(directory.resolve("model.safetensors"));
        assertEquals(106, model.predict(new float[] {2, 1_700_000_000})[0], 0.2);
    }

    /** What may be a mistake is done, and said. */
    @Test
    void oddTablesAreRemarkedOn() throws IOException {
        final StringBuilder index = new StringBuilder(",size,code,y\n"), bare = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            index.append(i).append(',').append(i == 7 ? "inf" : "" + i % 5).append(',').append(i % 3).append(',')
                .append(i % 2 == 0 ? "yes" : "no").append('\n');
            bare.append(i).append(",1.").append(i).append('\n');
        }
        final Ran ran = train(file("i.csv", index.toString()), "--epochs", "1");
        assertTrue(ran.out.contains("40 rows, 2 columns as 7 inputs"), ran.out + ran.err);
        assertTrue(ran.out.contains("left out: the column without a name (it has no name, as numbers of rows have)\n"), ran.out);
        assertTrue(ran.out.contains("taken for texts: size (numbers, but for 'inf')\n"), ran.out);
        final Ran rows = train(file("b.csv", bare.toString()), "--epochs", "1");
        assertTrue(rows.out.contains("the header line holds numbers, such as 0: is it a row? expected names\n"), rows.out);
    }

    /** A model that is of no use is written, but not without a word. */
    @Test
    void whatLearnsNothingIsSaid() throws IOException {
        final Ran absurd = train("boston", "--rate", "1e9");
        assertEquals(0, absurd.exit);
        assertTrue(absurd.err.matches("warning: training does not converge: the loss was \\S+ in the first epoch and is \\S+ in "
            + "the last; lower --rate, now 1000000000\n"), absurd.err);
        final Random random = new Random(5);
        final StringBuilder noise = new StringBuilder("x,y,z\n");
        for (int i = 0; i < 200; i++)
            noise.append(random.nextGaussian()).append(',').append(random.nextGaussian()).append(i % 4 == 0 ? ",yes\n" : ",no\n");
        final String file = file("noise.csv", noise.toString());
        final Ran classes = train(file, "--epochs", "1", "--rate", "1e-9");
        assertTrue(classes.err.matches("warning: the model is no better than one that always says no \\([0-9.]+ %\\) on the "
            + "held-out samples; try more --epochs, another --rate or other columns\n"), classes.out + classes.err);
        final Ran regression = train(file, "--target", "y", "--drop", "z", "--json");
        final JsonObject end = JsonParser.parseString(regression.out.lines().reduce((a, b) -> b).orElseThrow()).getAsJsonObject();
        assertTrue(end.get("warning").getAsString()
            .startsWith("the model is no better than one that always says the mean of y (R² -"), end.toString());
        assertEquals("", train("digits", "--epochs", "3").err);
    }

    @Test
    void badTablesAreRefused() throws IOException {
        final String csv = directory.resolve("t.csv").toString();
        refused(csv + ": no such file", csv);
        refused(csv + ": it is empty; expected a header line and rows", file("t.csv", ""));
        refused(csv + ": there is no row; expected 1 or more", file("t.csv", "a,b\n"));
        refused(csv + ": line 3: it has 3 fields; expected 2, as the header has", file("t.csv", "a,b\n1,2\n1,2,3\n"));
        refused(csv + ": line 3: it has 1 field; expected 2, as the header has", file("t.csv", "a,b\n1,2\n1\n"));
        refused(csv + ": line 2, column 'b': the field is empty; expected a value (fill it in, or leave out the "
                    + "row or the column)",
                file("t.csv", "a,b\n1,\n"));
        refused(csv + ": no column is left to predict b from; expected 1 or more; left out: a (it is empty)",
                file("t.csv", "a,b\nNaN,1\n"));
        refused(csv + ": the target 'b' holds texts, such as 'red'; expected numbers",
                file("t.csv", "a,b\n1,2\n2,red\n3,4\n"), "--system", "regression");
        refused(csv + ": 'b' is always 7.0 where it is learned; there is nothing to learn",
                file("t.csv", "a,b\n1,7\n2,7\n3,7\n4,7\n"), "--system", "regression");
        refused(csv + ": 'b' is always 7; there is nothing to learn", file("t.csv", "a,b\n1,7\n2,7\n3,7\n4,7\n"));
        refused(csv + ": there is no column 'c'; the columns are a, b", file("t.csv", "a,b\n1,2\n"), "--target", "c");
        refused(csv + ": there is no column 'c'; the columns are a, b", file("t.csv", "a,b\n1,2\n"), "--drop", "c");
        refused(csv + ": two columns are named 'b'; expected one", file("t.csv", "a,b,b\n1,2,3\n"), "--target", "b");
        refused(csv + ": it has one column, 'a'; expected a target and one or more others, separated by commas, semicolons or "
                    + "tabs",
                file("t.csv", "a\n1\n2\n3\n"));
        refused(csv + ": there is no column 'prise'; the columns are size, price; did you mean price?",
                file("t.csv", "size,price\n1,2\n"), "--target", "prise");
        refused(csv + ": 'b' is the target; expected another column for --drop", file("t.csv", "a,b\n1,2\n"), "--drop", "b");
        refused(csv + ": 'b' is the target; expected another column for --weight", file("t.csv", "a,b\n1,2\n"), "--weight", "b");
        refused(csv + ": column 'a' has decimal commas, such as '1,5'; expected points (or --text, if they are names)",
                file("t.csv", "a;b\n1,5;2\n2;3\n3;4\n4;5\n"));
        refused(csv + ": column 'a' varies by 2.598076211235323E38; expected 1e-30 to 1e30: change its unit",
                file("t.csv", "a,b\n1e38,2.5\n-3e38,3\n3e38,4\n-3e38,5\n3e38,6\n"));
        refused(csv + ": line 2: it has 1 field; expected 2, as the header has (one spans lines: is a quote not closed?)",
                file("t.csv", "a,b\n\"1,2\n3,4\n"));
        final String names = IntStream.range(0, 30).mapToObj(i -> "c" + i).collect(Collectors.joining(","));
        refused(csv + ": there is no column 'x'; the columns are " + names.substring(0, names.indexOf(",c20")).replace(",", ", ")
                    + ", … (30 in all)", file("t.csv", names + "\n" + names + "\n"), "--target", "x");
        refused(csv + ": 1 row cannot be split into a part to train on and a fifth held out; expected 3 or more",
                file("t.csv", "a,b\n1,2\n"));
        refused(csv + ": binary needs two classes, but 'b' has 3 different values; use --system softmax or regression",
                file("t.csv", "a,b\n1,0\n2,1\n3,2\n4,2\n5,1\n"), "--system", "binary");
        Files.write(directory.resolve("t.csv"), new byte[] {'a', ',', 'b', '\n', (byte) 0xff, (byte) 0xfe, '\n'});
        refused(csv + ": it is not text in UTF-8", csv);
        final ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
            out.write("a,b\n1,2\n3,4\n".repeat(1000).getBytes(StandardCharsets.UTF_8));
        }
        Files.write(directory.resolve("t.csv"), Arrays.copyOf(zipped.toByteArray(), zipped.size() / 2));
        refused(csv + ": the gzip stream is cut short", csv);
        Files.createDirectory(directory.resolve("d.csv"));
        refused(directory.resolve("d.csv") + ": no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it",
                directory.resolve("d.csv").toString());
    }

    @Test
    void badArgumentsAreRefused() throws IOException {
        refused("train: there is no data set and no file 'digit'; expected digits, boston, a CSV file or a directory of "
                    + "IDX files; did you mean digits?", "digit");
        refused("trainer: the rate is -1.0; expected a finite number above 0", "--rate", "-1");
        refused("trainer: the rate is NaN; expected a finite number above 0", "--rate", "NaN");
        refused("trainer: the batch is 0; expected 1 or more", "--batch", "0");
        refused("trainer: threads is -2; expected 1 or more", "--threads", "-2");
        refused("trainer: l2 is -1.0; expected a finite number, 0 or more", "--l2", "-1");
        refused("train: --epochs is 0; expected 1 or more", "--epochs", "0");
        refused("train: --hidden is '10,x'; expected whole numbers of units, such as 100,50, or none", "--hidden", "10,x");
        refused("train: --hidden is '-3'; expected whole numbers of units, such as 100,50, or none", "--hidden", "-3");
        refused("Invalid value for option '--activation': 'softmax' is none of identity, sigmoid, tanh, relu, leaky_relu, gelu, "
                    + "silu, elu or softplus (see backblas train --help)", "--activation", "softmax");
        refused("backend: there is none named 'cuda'; expected openblas, java, netlib or auto", "--backend", "cuda");
        refused("boston: binary needs two classes, but 'medv' has 229 different values; use --system softmax or regression",
                "boston", "--system", "binary");
        refused("boston: softmax needs classes, but 'medv' has 229 different values; use --system regression",
                "boston", "--system", "softmax");
        refused("train: --target is for CSV files; digits has its own", "digits", "--target", "x");
        refused("train: --drop is for tables; digits holds images, with labels of their own", "digits", "--drop", "label");
        refused("there is no option --rat; did you mean --rate? (see backblas train --help)", "--rat", "0.1");
        refused("Invalid value for option '--rate': 'fast' is not a number (see backblas train --help)", "--rate", "fast");
        refused("there is no option --taget; did you mean --target? (see backblas train --help)", "--taget=y");
        refused("'x' is one argument too many (see backblas train --help)", "digits", "x");
        refused("Invalid value for option '--system': 'softmx' is none of regression, softmax, binary, quadratic or deep; did "
                    + "you mean softmax? (see backblas train --help)", "--system", "softmx");
        refused("Invalid value for option '--epochs': '1e3' is not a whole number (see backblas train --help)",
                "--epochs", "1e3");
        refused("Invalid value for option '--epochs': '99999999999' is not a whole number that fits; expected a smaller one (see "
                    + "backblas train --help)", "--epochs", "99999999999");
        for (String option : List.of("--batch=9", "--rate=1", "--schedule=cosine", "--dropout=0.1", "--l1=1", "--clip=1"))
            refused("train: " + option.replaceFirst("=.*", "") + " is not for --optimizer lbfgs, which takes all samples at once "
                        + "and finds the length of a step by itself; leave it out", "--optimizer", "lbfgs", option);
        final Ran diverged = train("--system", "regression", "--rate", "1e9");
        assertEquals(2, diverged.exit);
        assertTrue(diverged.err.startsWith(
                       "backblas: training diverged in epoch 1 (lower the rate, now 1.0E9, or scale the inputs)"),
                   diverged.err);
        assertEquals(List.of(), files());
        for (String out : List.of("/", "/dev/null", directory.toString())) {
            final Ran ran = run("train", "digits", "--out", out);
            assertEquals("backblas: " + out + ": the model cannot be written to it: it is no file\n", ran.err);
        }
        final String data = file("data.csv", "a,b\n1,2\n3,4\n5,6\n7,8\n");
        final String model = directory.resolve("model.safetensors").toString();
        assertEquals("backblas: " + data + ": it is read, and cannot be written too; expected another file\n",
                     run("train", data, "--out", data).err);
        assertEquals("a,b\n1,2\n3,4\n5,6\n7,8\n", Files.readString(Path.of(data)), "the data are as they were");
        refused("train: --report " + model + " is the same file as --out; expected another", data, "--report", model);
        refused("train: --checkpoint " + model + " is the same file as --out; expected another", data, "--checkpoint", model);
        for (String option : List.of("--patience=3", "--checkpoint=c", "--resume=c", "--system=softmax"))
            refused("train: " + option.replaceFirst("=.*", "") + " is for data in memory; expected it without --stream", data,
                    "--stream", option);
        refused("train: --stream is for CSV files; boston is small", "boston", "--stream");
        Files.delete(Path.of(data));
        refused("trainer: the rate is 1.0E-50; expected a finite number above 0", "--rate", "1e-50");
        final Path nowhere = directory.resolve("no/model.safetensors");
        final Ran ran = run("train", "digits", "--out", nowhere.toString());
        assertEquals("backblas: " + nowhere.getParent() + ": the model cannot be written to it: no such directory\n", ran.err);
        assertEquals("", ran.out, "it is said before training");
        assertEquals(2, ran.exit);
    }

    private void idx(Path file, int type, int[] shape, byte[] values) throws IOException {
        final ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * shape.length + values.length);
        bytes.putShort((short) 0).put((byte) type).put((byte) shape.length);
        for (int n : shape) bytes.putInt(n);
        bytes.put(values);
        if (file.toString().endsWith(".gz"))
            try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
                out.write(bytes.array());
            }
        else Files.write(file, bytes.array());
    }

    /** Images of 5×5 pixels, one row of them lit: its number is the label. */
    private void images(String part, int n, String suffix) throws IOException {
        final Random random = new Random(n);
        final byte[] pixels = new byte[25 * n], labels = new byte[n];
        for (int j = 0; j < n; j++) {
            labels[j] = (byte) random.nextInt(5);
            for (int i = 0; i < 25; i++) pixels[25 * j + i] = (byte) (random.nextInt(100) + (i / 5 == labels[j] ? 150 : 0));
        }
        idx(directory.resolve(part + "-images-idx3-ubyte" + suffix), 8, new int[] {n, 5, 5}, pixels);
        idx(directory.resolve(part + "-labels-idx1-ubyte" + suffix), 8, new int[] {n}, labels);
    }

    @Test
    void imagesAreLearned() throws IOException {
        images("train", 1000, "");
        images("t10k", 200, ".gz");
        for (String system : List.of("softmax", "binary", "quadratic", "deep")) {
            final Ran ran = train("--data", directory.toString(), "--system", system, "--epochs", "30");
            assertTrue(ran.accuracy() > 98, system + ": " + ran.out);
        }
    }

    @Test
    void badImagesAreRefused() throws IOException {
        final String data = directory.toString();
        refused(data + "/none: no such directory", "--data", data + "/none");
        refused(data + ": no file train-images-idx3-ubyte or train-images-idx3-ubyte.gz in it", "--data", data);
        images("train", 10, ".gz");
        images("t10k", 5, "");
        refused("train: both digits and --data " + data + " are given; expected one", "digits", "--data", data);
        refused("train: regression is for tables; expected another --system for images",
                "--data", data, "--system", "regression");
        refused("train: --weight is for tables; " + data + " holds images, with labels of their own", data, "--weight", "w");
        refused(data + ": it has 10 training images; expected 60,000, the whole of MNIST",
                () -> run("nielsen", "--data", data));
        final Path labels = directory.resolve("train-labels-idx1-ubyte.gz");
        final Path images = directory.resolve("train-images-idx3-ubyte.gz");
        idx(labels, 8, new int[] {9}, new byte[9]);
        refused(data + ": there are 10 train images but 9 labels; expected as many", "--data", data);
        final byte[] good = Files.readAllBytes(images);
        Files.write(images, Arrays.copyOf(good, good.length - 20));
        refused(images + ": the gzip stream is cut short", "--data", data);
        Files.writeString(images, "GIF89a: not at all what was expected");
        refused(images + ": the magic number is 0x47494638; expected 0x00000803, an IDX file of unsigned bytes in 3 dimensions",
                "--data", data);
    }

    @FunctionalInterface
    private interface Command {
        Ran run();
    }

    private void refused(String sentence, Command command) {
        final Ran ran = command.run();
        assertEquals("backblas: " + sentence + "\n", ran.err);
        assertEquals(Main.WRONG_INPUT, ran.exit);
    }

    @Test
    void theDoctorNamesWhatRuns() {
        final Ran ran = run("doctor");
        assertTrue(ran.out.contains("java      pure Java, Vector API, "), ran.out);
        assertTrue(ran.out.matches("(?s).*speed     [0-9.]+ GFLOP/s on one thread.*"), ran.out);
        assertTrue(ran.out.contains("jdk       " + System.getProperty("java.version")), ran.out);
        if (NATIVE) {
            assertTrue(ran.out.contains("backend   openblas\nopenblas  OpenBLAS "), ran.out);
            assertTrue(ran.out.endsWith("nothing is wrong\n"), ran.out);
            assertEquals(0, ran.exit);
        } else {
            assertTrue(ran.out.contains("wrong: OpenBLAS is not available: "), ran.out);
            assertEquals(1, ran.exit);
        }
    }

    @Test
    void machinesReadTheOthers() throws IOException {
        final JsonObject found = JsonParser.parseString(run("doctor", "--json").out).getAsJsonObject();
        assertEquals(NATIVE ? 0 : 1, found.getAsJsonArray("wrong").size());
        assertTrue(found.get("java_gigaflops").getAsDouble() > 0);
        assertEquals(List.of("digits", "boston", "FILE.csv", "DIRECTORY", "mnist", "fashion-mnist"),
                     run("data", "--json").out.lines()
                         .map(line -> JsonParser.parseString(line).getAsJsonObject().get("name").getAsString()).toList());
        final Ran bench = run("bench", "--contenders=java", "--workloads=w5", "--rounds=2", "--slice=0.01", "--threads=1",
                              "--json", "--out", directory.toString());
        final JsonObject measured = JsonParser.parseString(bench.out).getAsJsonObject();
        assertEquals("java", measured.get("contender").getAsString(), bench.err);
        assertEquals(2, measured.getAsJsonArray("rounds").size());
    }

    @Test
    void badMeasurementsAreRefused() {
        refused("bench: 'jaba' takes no part here; expected ours, java-vector, java or netlib; did you mean java? (--peers "
                    + "brings more)", () -> run("bench", "--contenders", "jaba"));
        refused("bench: --rounds is 0; expected 1 or more", () -> run("bench", "--rounds", "0"));
        refused("bench: --rounds is -1; expected 1 or more", () -> run("bench", "epochs", "--rounds", "-1"));
        refused("bench speedup: the network is '784'; expected the units of its layers, inputs first, such as 784-128-10",
                () -> run("bench", "speedup", "784"));
        refused("bench speedup: a batch of 100000 samples of 784 values; expected at most 67108864 values in all",
                () -> run("bench", "speedup", "784-10", "--batch", "1,100000"));
        refused("bench: --slice is 0.0; expected more than 0 and at most 60 seconds", () -> run("bench", "--slice", "0"));
        refused("Invalid value for option '--workloads' (NAME): 'W9' is none of w1, w2, w3, w4, w5, w6, i1 or i2; did you "
                    + "mean w1? (see backblas bench --help)", () -> run("bench", "--workloads", "W9"));
    }

    @Test
    void helpAndNoCommand() {
        assertTrue(run("--help").out.contains("train"));
        assertTrue(run("train", "--help").out.contains("--activation=NAME"));
        final Ran nothing = run();
        assertEquals("backblas: name a command: train, predict, evaluate, inspect, data, doctor or bench (see backblas --help)\n",
                     nothing.err);
        assertEquals(2, nothing.exit);
        assertEquals("backblas: there is no command 'trane'; did you mean train? (see backblas --help)\n", run("trane").err);
    }
}
