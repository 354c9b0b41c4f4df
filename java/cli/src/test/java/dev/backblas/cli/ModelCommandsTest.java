package dev.backblas.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.BufferedWriter;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private static ProcessBuilder forked(String... arguments) {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED", "-Xmx64m",
            "-cp", System.getProperty("java.class.path"), "dev.backblas.cli.Main"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true);
    }

    /** By SIGTERM, which no one ignores; a build in the background ignores the SIGINT of Ctrl-C. The shell sees 143. */
    @Test
    void anInterruptedRunLeavesItsModel() throws Exception {
        final String model = path("m.safetensors"), checkpoint = path("c");
        final Process process = forked("train", "digits", "--epochs", "10000000", "--json", "--out", model,
                                       "--checkpoint", checkpoint).start();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = out.readLine();
            while (line != null && !line.contains("\"epoch\":3,")) line = out.readLine();
            process.toHandle().destroy(); // which, other than destroy() of the process, leaves its output readable
            String last = line;
            for (; line != null; line = out.readLine()) last = line;
            assertTrue(last.contains("\"event\":\"end\",\"stopped\":true"), last);
            assertTrue(process.waitFor(1, TimeUnit.MINUTES));
            assertEquals(143, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
        assertTrue(good("evaluate", model, "digits").accuracyOfAll() > 50);
        assertTrue(Files.size(Path.of(checkpoint)) > 0);
    }

    /** A table of several times the memory of the virtual machine goes through. */
    @Test
    void predictionsStream() throws Exception {
        final String model = path("m.safetensors");
        good("train", people("people.csv", ','), "--epochs", "1", "--out", model);
        final Process process = forked("predict", model, "-", "--out", path("p.csv")).start();
        final int rows = 6_000_000;
        try (BufferedWriter in = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8))) {
            in.write("age,city,comment\n");
            for (int i = 0; i < rows; i++) in.write("44,Oslo,some thirty characters or more\n");
        }
        final String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.contains(String.format("%,d predictions", rows)), said);
    }
}
