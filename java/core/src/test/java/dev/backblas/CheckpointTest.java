package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.TestBackends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A run that stops, wherever and however, and resumes from its checkpoint ends in the same bits as one that never stopped. */
class CheckpointTest {

    private static final int EPOCHS = 40, KILLS = 50;

    @TempDir
    Path directory;

    private static Dataset noise() {
        final Random random = new Random(4);
        final float[] x = new float[20 * 500], y = new float[3 * 500];
        for (int i = 0; i < x.length; i++) x[i] = (float) random.nextGaussian();
        for (int j = 0; j < 500; j++) y[j * 3 + random.nextInt(3)] = 1;
        return Dataset.of(x, y, 20, 3);
    }

    private static Network network(Backend backend) {
        return Network.builder(20).layer(120, Activation.GELU).layer(30, Activation.RELU).layer(3, Activation.SOFTMAX)
            .backend(backend).build();
    }

    /** All that a checkpoint has to hold: the optimizer, dropout, the shuffle, the schedule, early stopping. */
    private static Trainer.Builder builder(Network network) {
        return unstopped(network).earlyStopping(1000);
    }

    private static Trainer.Builder unstopped(Network network) {
        return Trainer.of(network, Loss.CROSS_ENTROPY).optimizer(Optimizer.adam()).rate(0.001).dropout(0.3).batch(50).threads(2)
            .schedule(Schedule.plateau(3, 0.5).warmUp(2)).validation(0.2).clipNorm(1);
    }

    static List<Backend> backends() {
        return TestBackends.all();
    }

    @ParameterizedTest
    @MethodSource("backends")
    void everyEpochMayBeTheLast(Backend backend) throws IOException {
        final Path file = directory.resolve("checkpoint");
        for (Optimizer optimizer : List.of(Optimizer.sgd(), Optimizer.nesterov(0.9), Optimizer.rmsProp(), Optimizer.adamW(0.1))) {
            final Network whole = network(backend), pieces = network(backend);
            final History history;
            try (Trainer trainer = builder(whole).optimizer(optimizer).build()) {
                history = trainer.fit(noise(), 6);
            }
            for (int epoch = 1; epoch <= 6; epoch++) {
                final Network fresh = epoch == 6 ? pieces : network(backend);
                try (Trainer trainer = builder(fresh).optimizer(optimizer).checkpoint(file).build()) {
                    if (epoch > 1) trainer.resume(file);
                    assertEquals(epoch - 1, trainer.history().size());
                    trainer.fit(noise(), epoch);
                    for (int i = 0; i < epoch; i++) {
                        assertEquals(history.get(i).loss(), trainer.history().get(i).loss());
                        assertEquals(history.get(i).validationLoss(), trainer.history().get(i).validationLoss());
                        assertEquals(history.get(i).rate(), trainer.history().get(i).rate());
                    }
                }
            }
            assertArrayEquals(whole.parameters(), pieces.parameters(), optimizer.toString());
        }
    }

    /** Cancelled after any batch, a new trainer goes on amid the epoch. */
    @ParameterizedTest
    @MethodSource("backends")
    void everyBatchMayBeTheLast(Backend backend) throws IOException {
        final Path file = directory.resolve("amid");
        final Network whole = network(backend);
        try (Trainer trainer = builder(whole).build()) {
            trainer.fit(noise(), 3);
        }
        Network pieces = network(backend);
        for (int fits = 1;; fits++) {
            pieces = network(backend);
            final Trainer[] cancelled = new Trainer[1];
            try (Trainer trainer = builder(pieces).checkpoint(file).listener(new Trainer.Listener() {
                @Override
                public void step(int epoch, int samples, int size, double meanLoss) {
                    cancelled[0].cancel();
                }
            }).build()) {
                cancelled[0] = trainer;
                if (fits > 1) trainer.resume(file);
                if (trainer.fit(noise(), 3).size() == 3) break;
                assertTrue(fits < 30, "it gets nowhere");
            }
        }
        assertArrayEquals(whole.parameters(), pieces.parameters());
    }

    /** Early stopping leaves the best weights in the network; training goes on from the latest, here and after a resume. */
    @Test
    void theNetworkHasTheBestWeightsAndTheCheckpointTheLatest() throws IOException {
        final Path file = directory.resolve("stopped");
        final Dataset data = noise();
        final float[] x = new float[20], y = new float[3], last, end, best;
        data.copy(7, x, 0, y, 0);
        final Network plain = network(Backend.pureJava()), stopping = network(Backend.pureJava());
        try (Trainer trainer = unstopped(plain).build()) {
            trainer.fit(data, 8);
            last = plain.parameters().clone();
            trainer.epoch(data);
            trainer.step(x, y, 1);
            end = plain.parameters();
        }
        try (Trainer trainer = builder(stopping).build()) {
            trainer.fit(data, 8);
            best = stopping.parameters().clone();
            assertFalse(Arrays.equals(last, best), "the last epoch is the best: this shows nothing");
            trainer.save(file);
            assertArrayEquals(best, stopping.parameters(), "saving changes nothing");
            trainer.epoch(data);
            trainer.step(x, y, 1);
            assertArrayEquals(end, stopping.parameters());
        }
        final Network resumed = network(Backend.pureJava());
        try (Trainer trainer = builder(resumed).build()) {
            trainer.resume(file);
            assertArrayEquals(last, resumed.parameters());
            trainer.fit(data, 8);
            assertArrayEquals(best, resumed.parameters());
            trainer.epoch(data);
            trainer.step(x, y, 1);
            assertArrayEquals(end, resumed.parameters());
        }
    }

    /** Trains to the end, or until it is killed: says which epoch it goes on with, each epoch that is safe, and how it ended. */
    static final class Child {
        public static void main(String[] args) throws IOException {
            final Path file = Path.of(args[0]);
            final Network network = network(Backend.fastest());
            try (Trainer trainer = builder(network).checkpoint(file).listener(new Trainer.Listener() {
                @Override
                public void epoch(History.Epoch epoch) {
                    System.out.println("safe " + epoch.number());
                }
            }).build()) {
                if (Files.exists(file)) trainer.resume(file);
                System.out.println("from " + trainer.history().size());
                trainer.fit(noise(), EPOCHS);
            }
            System.out.println("ended " + Arrays.hashCode(network.parameters()));
        }
    }

    /** SIGKILL, where there are signals: no shutdown hook and no finally block runs. */
    @Test
    void killedAtAnyMomentItLosesNothingButTheEpochAtHand() throws IOException, InterruptedException {
        final Path file = directory.resolve("killed");
        final String want = last(run(file, Long.MAX_VALUE)); // never killed
        assertTrue(want.startsWith("ended "), want);
        Files.delete(file);
        final Random random = new Random();
        final long seed = random.nextLong();
        random.setSeed(seed);
        int safe = 0, ends = 0;
        for (int kills = 0; kills < KILLS; ) {
            final List<String> lines = run(file, random.nextInt(250));
            for (String line : lines) {
                if (line.startsWith("from ")) {
                    final int from = Integer.parseInt(line.substring(5));
                    assertTrue(from >= safe, "seed " + seed + ": " + safe + " epochs were safe, and it resumes after " + from);
                }
                if (line.startsWith("safe ")) safe = Integer.parseInt(line.substring(5));
            }
            if (last(lines).startsWith("ended ")) { // begin anew: there are kills left
                assertEquals(want, last(lines), "seed " + seed);
                ends++;
                safe = 0;
                Files.delete(file);
            } else {
                kills++;
            }
        }
        assertEquals(want, last(run(file, Long.MAX_VALUE)), "seed " + seed + ", after " + ends + " ends");
        requireNoPart();
    }

    private static String last(List<String> lines) {
        return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    }

    /** What a child prints until it ends, or is killed so many milliseconds after it began to train. */
    private List<String> run(Path file, long milliseconds) throws IOException, InterruptedException {
        final Path out = directory.resolve("out"), errors = directory.resolve("errors");
        final List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"), Child.class.getName(), file.toString()));
        if (!Boolean.parseBoolean(System.getProperty("backblas.test.native", "true"))) command.add(1, "-Dbackblas.backend=java");
        final Process process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(errors.toFile()).start();
        try {
            while (process.isAlive() && Files.size(out) == 0) Thread.sleep(1);
            process.waitFor(milliseconds, TimeUnit.MILLISECONDS);
        } finally {
            process.destroyForcibly();
        }
        if (process.waitFor() == 1) throw new AssertionError(Files.readString(errors)); // an exception; SIGKILL gives 137
        final String text = Files.readString(out); // the last line may be cut off
        return text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
    }

    @Test
    void aFileThatIsWrongIsRefusedAndChangesNothing() throws IOException {
        final Path file = directory.resolve("good"), bad = directory.resolve("bad");
        final Network network = network(Backend.pureJava());
        try (Trainer trainer = builder(network).checkpoint(file).build()) {
            trainer.fit(noise(), 2);
            final byte[] bytes = Files.readAllBytes(file);
            final float[] before = network.parameters().clone();
            final Random random = new Random(1);
            for (int i = 0; i < 60; i++) {
                final byte[] damaged = i % 2 == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
                if (i % 2 == 1) damaged[random.nextInt(i < 40 ? 300 : bytes.length)] ^= (byte) (1 << random.nextInt(8));
                Files.write(bad, damaged);
                final String message = assertThrows(IOException.class, () -> trainer.resume(bad)).getMessage();
                assertTrue(message.startsWith(bad + ": is not a checkpoint that can be read: "), message);
            }
            assertArrayEquals(before, network.parameters());
            assertEquals(2, trainer.history().size());
            trainer.resume(file);
        }
        try (Trainer other = builder(network(Backend.pureJava())).seed(9).build()) {
            final String message = assertThrows(IOException.class, () -> other.resume(file)).getMessage();
            final String shape = "20-120:gelu-30:relu-3:softmax, adam(0.9, 0.999, 1.0E-8), batch 50, ";
            assertTrue(message.contains("it is of " + shape + "seed 1,"), message);
            assertTrue(message.contains("; expected " + shape + "seed 9,"), message);
            assertTrue(assertThrows(IOException.class, () -> other.resume(directory.resolve("none"))).getMessage()
                .contains("no such file"));
        }
        requireNoPart();
    }

    private void requireNoPart() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            assertTrue(files.noneMatch(left -> left.toString().endsWith(".part")), "a file is left behind");
        }
    }
}
