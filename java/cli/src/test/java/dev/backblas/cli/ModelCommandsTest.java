package dev.backblas.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A new user's path: train on a table, and then predict, evaluate and inspect. */
class ModelCommandsTest {

    @TempDir
    private Path directory;

    private String path(String name) {
        return directory.resolve(name).toString();
    }

    /** People, where they live, and whether they own what they live in; a name, a quoted text and a separator of choice. */
    private String people(String name, char separator) throws IOException {
        final Random random = new Random(4);
        final StringBuilder csv = new StringBuilder("name,age,city,owns\n".replace(',', separator));
        for (int i = 0; i < 300; i++) {
            final int age = 18 + random.nextInt(60);
            final boolean rome = random.nextBoolean();
            csv.append("P").append(i).append(separator).append(age).append(separator).append(rome ? "\"Rome, IT\"" : "Oslo")
                .append(separator).append(age + (rome ? 25 : 0) > 55 ? "yes" : "no").append('\n');
        }
        return Files.writeString(directory.resolve(name), csv).toString();
    }

    private static CommandLineTest.Ran good(String... arguments) {
        final CommandLineTest.Ran ran = CommandLineTest.run(arguments);
        assertEquals(0, ran.exit(), ran.err());
        return ran;
    }

    private static void refused(String sentence, String... arguments) {
        final CommandLineTest.Ran ran = CommandLineTest.run(arguments);
        assertEquals("backblas: " + sentence + "\n", ran.err());
        assertEquals(Main.WRONG_INPUT, ran.exit());
    }

    @Test
    void aTableNeverSeenBeforeIsLearnedAndPredicted() throws IOException {
        for (char separator : new char[] {',', ';', '\t'}) {
            final String csv = people("people.csv", separator), model = path("m.safetensors");
            final CommandLineTest.Ran trained = good("train", csv, "--target", "owns", "--out", model);
            assertTrue(trained.out().contains("300 rows, 2 columns as 3 inputs, 2 classes of owns; 240 to train on, 60 held out\n"
                + "left out: name (it has 300 different texts in 300 rows, as names have)\n"), trained.out());
            assertTrue(trained.accuracy() > 95, trained.out());
            final String fresh = Files.writeString(directory.resolve("new.csv"),
                "city,more,age\n\"Rome, IT\",x,70\nOslo,y,20\nParis,z,75\n").toString();
            final CommandLineTest.Ran predicted = good("predict", model, fresh, "--keep");
            assertEquals(List.of("city,more,age,prediction", "\"Rome, IT\",x,70,yes", "Oslo,y,20,no", "Paris,z,75,yes"),
                         predicted.out().lines().map(line -> line.replaceAll(",(probability|0\\.\\d+|1\\.0)$", "")).toList());
            assertEquals("1 text was not seen in training; it counts as none of those that were\n", predicted.err());
            final JsonObject row = JsonParser.parseString(
                good("predict", model, fresh, "--json", "--proba").out().lines().toList().get(1)).getAsJsonObject();
            assertEquals("no", row.get("prediction").getAsString());
            assertEquals(1, row.getAsJsonObject("probabilities").get("yes").getAsDouble() + row.get("probability").getAsDouble(),
                         1e-5);
            good("predict", model, fresh, "--out", path("p.csv"));
            assertEquals(4, Files.readAllLines(directory.resolve("p.csv")).size());
            final JsonObject judged = JsonParser.parseString(good("evaluate", model, csv, "--json").out()).getAsJsonObject();
            assertEquals(300, judged.get("samples").getAsInt());
            assertTrue(judged.get("accuracy").getAsDouble() > 0.95);
            assertTrue(good("evaluate", model, csv).out().contains("% of 300 samples are right"));
            final JsonObject inside = JsonParser.parseString(good("inspect", model, "--json").out()).getAsJsonObject();
            assertEquals("classifier", inside.get("kind").getAsString());
            assertEquals("[\"no\",\"yes\"]", inside.get("labels").toString());
            assertTrue(good("inspect", model).out().contains("from      age, city (Oslo, Rome, IT)\n"));
        }
    }

    /** Commas within the names of columns do not make them columns. */
    @Test
    void theSeparatorIsWhatMakesTheMostColumns() throws IOException {
        final StringBuilder rows = new StringBuilder("\"size, m2\";\"town, if any\";y\n");
        for (int i = 0; i < 50; i++) rows.append(i).append(i % 2 == 0 ? ";\"Bad; H\";" : ";;").append(2.5 * i).append('\n');
        final String csv = Files.writeString(directory.resolve("homes.csv"), rows).toString();
        final CommandLineTest.Ran trained = good("train", csv, "--target", "y", "--epochs", "2", "--out", path("m.safetensors"));
        assertTrue(trained.out().contains("50 rows, 2 columns as 2 inputs, "), trained.out());
    }

    @Test
    void whatIsBundledIsPredictedToo() {
        final String model = path("m.safetensors");
        for (String system : List.of("softmax", "quadratic", "deep", "binary")) {
            good("train", "digits", "--system", system, "--out", model);
            final int rows = good("predict", model, "digits").out().split("\n").length;
            assertEquals(1 + 1797, rows);
        }
        good("train", "boston", "--out", model);
        assertTrue(good("evaluate", model, "boston").out().contains("medv is off by "));
    }

    @Test
    void machinesReadTraining() throws IOException {
        final List<JsonObject> lines =
            good("train", people("people.csv", ','), "--json", "--epochs", "3", "--out", path("m.safetensors")).out().lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
        assertEquals(List.of("start", "epoch", "epoch", "epoch", "end"),
                     lines.stream().map(line -> line.get("event").getAsString()).toList());
        assertEquals(3, lines.get(4).get("epochs").getAsInt());
        assertTrue(lines.get(3).get("loss").getAsDouble() < lines.get(1).get("loss").getAsDouble());
    }

    @Test
    void mistakesAreExplained() throws IOException {
        final String csv = people("people.csv", ','), model = path("m.safetensors");
        good("train", csv, "--epochs", "1", "--out", model);
        refused(path("none") + ": no such file", "predict", path("none"), csv);
        refused(csv + ": it is no safetensors file; expected a model that 'backblas train' wrote", "predict", csv, csv);
        refused(directory + ": it is a directory; expected a model file", "inspect", directory.toString());
        refused(path("none.csv") + ": no such file", "predict", model, path("none.csv"));
        final String fresh = Files.writeString(directory.resolve("new.csv"), "age,town\n3,Oslo\n").toString();
        refused(fresh + ": there is no column 'city', which the model needs; the columns are age, town", "predict", model, fresh);
        Files.writeString(directory.resolve("new.csv"), "age,city\n3,Oslo\nold,Oslo\n");
        refused(fresh + ": line 3, column 'age': 'old' is not a number", "predict", model, fresh, "--out", path("p.csv"));
        assertTrue(Files.notExists(directory.resolve("p.csv")), "nothing half written");
        for (String read : List.of(fresh, model))
            refused(read + ": it is read, and cannot be written too; expected another file",
                    "predict", model, fresh, "--out", read);
        Files.writeString(directory.resolve("new.csv"), "age,city\n3,Oslo\n");
        refused(fresh + ": there is no column 'owns', the target; the columns are age, city", "evaluate", model, fresh);
        Files.writeString(directory.resolve("new.csv"), "age,city,owns\n3,Oslo,maybe\n");
        refused(fresh + ": line 2, column 'owns': 'maybe' is none of the classes that were learned", "evaluate", model, fresh);
        Files.writeString(directory.resolve("new.csv"), "age,city,owns\n");
        refused(fresh + ": it has no row to judge by", "evaluate", model, fresh);
        refused("train: --optimizer is 'adma'; expected sgd, momentum, nesterov, rmsprop, adam, adamw or lbfgs; did you "
                    + "mean adam?", "train", csv, "--optimizer", "adma");
        refused("train: --schedule is 'none'; expected constant, cosine, step or plateau", "train", csv, "--schedule", "none");
        good("train", "boston", "--epochs", "1", "--out", model);
        refused("predict: --proba is for classes, but " + model + " predicts medv", "predict", model, "boston", "--proba");
    }

    /** A run that goes on from a checkpoint ends as one that never stopped. */
    @Test
    void trainingGoesOn() throws IOException {
        final String whole = path("whole.safetensors"), rest = path("rest.safetensors"), checkpoint = path("c");
        good("train", "digits", "--epochs", "6", "--out", whole);
        good("train", "digits", "--epochs", "2", "--out", rest, "--checkpoint", checkpoint);
        final CommandLineTest.Ran ran = good("train", "digits", "--epochs", "6", "--out", rest, "--resume", checkpoint);
        assertTrue(ran.out().contains("going on after epoch 2\n"), ran.out());
        assertEquals(-1, Files.mismatch(Path.of(whole), Path.of(rest)));
    }

    /** The program in a process of its own, with so much memory. */
    private static List<String> program(int megabytes, String... arguments) {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
            "-Xmx" + megabytes + "m", "-cp", System.getProperty("java.class.path"), "dev.backblas.cli.Main"));
        command.addAll(List.of(arguments));
        return command;
    }

    private static Process start(List<String> command) throws IOException {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** By Ctrl-C or SIGTERM. What runs in the background ignores the former, unless {@code env} of coreutils says otherwise. */
    @ParameterizedTest
    @EnabledOnOs(OS.LINUX)
    @CsvSource({"INT, 130", "TERM, 143"})
    void anInterruptedRunLeavesItsModel(String signal, int exit) throws Exception {
        final String model = path("m.safetensors"), checkpoint = path("c");
        final List<String> command = new ArrayList<>(List.of("env", "--default-signal=" + signal));
        command.addAll(program(64, "train", "digits", "--epochs", "10000000", "--json", "--out", model, "--checkpoint",
                               checkpoint));
        final Process process = start(command);
        try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            while (line != null && !line.contains("\"epoch\":3,")) line = out.readLine();
            assertEquals(0, new ProcessBuilder("kill", "-s", signal, Long.toString(process.pid())).start().waitFor());
            String last = line;
            for (; line != null; line = out.readLine()) last = line;
            assertTrue(last.contains("\"event\":\"end\",\"stopped\":true"), last);
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
            assertEquals(exit, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
        assertTrue(good("evaluate", model, "digits").accuracyOfAll() > 50);
        final int epochs =
            epochs(good("train", "digits", "--epochs", "1", "--json", "--out", model, "--resume", checkpoint).out());
        assertTrue(epochs >= 3, "the checkpoint has " + epochs + " epochs behind it");
    }

    private static int epochs(String json) {
        return JsonParser.parseString(json.lines().reduce((a, b) -> b).orElseThrow()).getAsJsonObject().get("epochs").getAsInt();
    }

    /** A table of several times the memory of the virtual machine goes through. */
    @Test
    void predictionsStream() throws Exception {
        final String model = path("m.safetensors");
        good("train", people("people.csv", ','), "--epochs", "1", "--out", model);
        final Process process = start(program(64, "predict", model, "-", "--out", path("p.csv")));
        final int rows = 6_000_000;
        try (BufferedWriter in = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8))) {
            in.write("age,city,comment\n");
            for (int i = 0; i < rows; i++) in.write("44,Oslo,some thirty characters or more\n");
        }
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.contains(String.format("%,d predictions", rows)), said);
    }

    /** As of any program behind which a pipe is closed; 141 is 128 + SIGPIPE. */
    @Test
    void aClosedPipeEndsPredictionsQuietly() throws Exception {
        final String model = path("m.safetensors"), csv = path("long.csv");
        good("train", people("people.csv", ','), "--epochs", "1", "--out", model);
        Files.writeString(Path.of(csv), "age,city\n" + "44,Oslo\n".repeat(500_000));
        final Process process = new ProcessBuilder(program(64, "predict", model, csv)).start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertEquals("prediction,probability", out.readLine());
        }
        assertEquals("", new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals(141, process.waitFor());
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsSaid() throws Exception {
        final String model = path("m.safetensors");
        good("train", "boston", "--epochs", "1", "--out", model);
        final Process process = new ProcessBuilder(program(64, "predict", model, "boston"))
            .redirectOutput(new File("/dev/full")).start();
        assertEquals("backblas: predict: standard output cannot be written: No space left on device\n",
                     new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals(Main.WRONG_INPUT, process.waitFor());
    }

    @Test
    void aTableWithoutRowsHasNoPredictions() throws IOException {
        final String model = path("m.safetensors");
        good("train", people("people.csv", ','), "--epochs", "1", "--out", model);
        final String none = Files.writeString(directory.resolve("none.csv"), "age,city\n").toString();
        assertEquals("prediction,probability\n", good("predict", model, none).out());
    }

    /** Two quantities, and three labels: in memory and from a stream. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void severalTargetsAreLearned(boolean streamed) throws IOException {
        final Random random = new Random(6);
        final StringBuilder csv = new StringBuilder("x,kind,y,sum,product,right,upper,far\n");
        for (int i = 0; i < 600; i++) {
            final double x = random.nextGaussian(), y = random.nextGaussian();
            csv.append(x).append(i % 2 == 0 ? ",plain," : ",raised,").append(y).append(',').append(1000 * (x + y + i % 2))
                .append(',').append(x * y).append(',').append(x > 0 ? 1 : 0).append(',').append(y > 0 ? 1 : 0).append(',')
                .append(x * x + y * y > 1.4 ? 1 : 0).append('\n');
        }
        final String file = Files.writeString(directory.resolve("s.csv"), csv).toString(), model = path("m.safetensors");
        final List<String> quantities = new ArrayList<>(List.of("train", file, "--target", "sum,product", "--drop",
            "right,upper,far", "--epochs", "200", "--rate", "0.003", "--out", model));
        if (streamed) quantities.add("--stream");
        final CommandLineTest.Ran trained = good(quantities.toArray(String[]::new));
        final String about = "600 rows, 3 columns as 4 inputs, targets sum, product; 480 to train on, 120 held out\n";
        assertTrue(trained.out().contains(about), trained.out());
        assertTrue(trained.number("sum is off by") < 200, trained.out());
        assertTrue(trained.number("product is off by") < 0.3, trained.out());
        assertTrue(good("predict", model, file).out().startsWith("sum,product\n"));
        final JsonObject judged = JsonParser.parseString(good("evaluate", model, file, "--json").out()).getAsJsonObject();
        assertTrue(judged.getAsJsonObject("targets").getAsJsonObject("product").get("r2").getAsDouble() > 0.9, judged.toString());

        final List<String> labels = new ArrayList<>(List.of("train", file, "--target", "right,upper,far", "--drop", "sum,product",
                                                            "--rate", "0.01", "--out", model));
        if (streamed) labels.add("--stream");
        assertTrue(good(labels.toArray(String[]::new)).out().contains("labels right, upper, far;"));
        assertTrue(good("evaluate", model, file).out().contains("\nupper  "));
        final JsonObject right = JsonParser.parseString(good("evaluate", model, file, "--json").out()).getAsJsonObject();
        assertTrue(right.get("accuracy").getAsDouble() > 0.85, right.toString());
        assertTrue(good("inspect", model).out().contains("predicts  any of right, upper, far\n"));
        final String fresh =
            Files.writeString(directory.resolve("new.csv"), "x,y,kind\n2,2,plain\n-0.3,-0.3,raised\n").toString();
        assertEquals(List.of("prediction", "right upper far", "\"\""),
                     good("predict", model, fresh).out().lines().toList());
        assertEquals("{\"prediction\":[\"right\",\"upper\",\"far\"]}",
                     good("predict", model, fresh, "--json").out().lines().toList().get(0));
        Files.writeString(directory.resolve("new.csv"), "x,y,kind,right,upper,far\n2,2,plain,1,0.5,0\n");
        refused(fresh + ": the label of sample 1 is 0.5; expected 1 or 0", "evaluate", model, fresh);
        Files.writeString(directory.resolve("new.csv"), "x,y,kind,right,far\n2,2,plain,1,0\n");
        refused(fresh + ": there is no column 'upper', the target; the columns are x, y, kind, right, far",
                "evaluate", model, fresh);
        refused(file + ": the target 'kind' holds texts, such as 'plain'; expected numbers",
                "train", file, "--target", "sum,kind", "--out", model);
        refused(file + ": softmax has one target; expected --system regression, or none, for several", "train", file, "--target",
                "right,far", "--system", "softmax", "--out", model);
    }

    @Test
    void lbfgsTakesAllSamplesAtOnce() {
        final CommandLineTest.Ran ran =
            good("train", "boston", "--optimizer", "lbfgs", "--hidden", "none", "--out", path("m.safetensors"));
        assertTrue(ran.out().contains("\nlbfgs(10), all samples for each step\n"), ran.out());
        assertEquals(ran.number("ordinary least squares by"), ran.number("is off by"), 0.01, "which it finds");
    }

    /** A table of more floats than the virtual machine has memory for. */
    @Test
    void trainingStreams() throws Exception {
        final int columns = 20, rows = 1_800_000; // 144 MB
        final Path csv = directory.resolve("large.csv.gz");
        final String[] lines = new String[97];
        final Random random = new Random(7);
        for (int i = 0; i < lines.length; i++) {
            final StringBuilder line = new StringBuilder();
            int sum = 0;
            for (int c = 0; c < columns; c++) {
                final int digit = random.nextInt(10);
                sum += digit;
                line.append(digit).append(',');
            }
            lines[i] = line.append(sum > 90 ? "large\n" : "small\n").toString();
        }
        try (BufferedWriter out = new BufferedWriter(new OutputStreamWriter(
                new GZIPOutputStream(Files.newOutputStream(csv)), StandardCharsets.UTF_8))) {
            out.write(IntStream.range(0, columns).mapToObj(c -> "c" + c + ",").collect(Collectors.joining()) + "size\n");
            for (int i = 0; i < rows; i++) out.write(lines[i % lines.length]);
        }
        final Process process = start(program(128, "train", csv.toString(), "--stream", "--epochs", "1", "--batch", "512",
                                              "--hidden", "16", "--out", path("m.safetensors")));
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.contains("1,800,000 rows, 20 columns as 20 inputs, 2 classes of size"), said);
        assertTrue(new CommandLineTest.Ran(0, said, "").accuracy() > 95, said);
    }
}
