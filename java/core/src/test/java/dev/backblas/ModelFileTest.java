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
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFileTest {

    @TempDir
    Path directory;

    private static Network network() {
        return Network.builder(3).layer(300, Activation.LEAKY_RELU).layer(257, Activation.TANH).layer(2, Activation.SOFTMAX)
            .initialization(Initialization.GAUSSIAN).backend(Backend.pureJava()).build();
    }

    @Test
    void whatIsSavedIsLoaded() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        final Network saved = network();
        saved.save(file);
        final Network loaded = Network.load(file, Backend.pureJava());
        assertEquals(saved.toString(), loaded.toString());
        for (int l = 1; l <= saved.depth(); l++) {
            assertEquals(saved.weights(l), loaded.weights(l));
            assertEquals(saved.biases(l), loaded.biases(l));
        }
        saved.save(file); // over itself
        onlyFileIs(file);
    }

    /** As anyone else's reader finds it: header, then {@code 0.weight} as PyTorch's row-major [out, in]. */
    @Test
    void theFormatIsSafetensors() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        final Network network = Network.builder(2).layer(3, Activation.RELU).backend(Backend.pureJava()).build();
        for (int i = 0; i < 6; i++) network.weights(1).put(i, i);
        network.biases(1).put(2, 42);
        network.save(file);
        final ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        final int length = (int) bytes.getLong();
        assertEquals(0, length % 8);
        final byte[] header = new byte[length];
        bytes.get(header);
        assertEquals("{\"__metadata__\":{\"format\":\"backblas\",\"version\":\"1\",\"activations\":\"relu\"},"
            + "\"0.weight\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[0,24]},"
            + "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]}}",
            new String(header, StandardCharsets.UTF_8).strip());
        for (float want : new float[] {0, 1, 2, 3, 4, 5, 0, 0, 42}) assertEquals(want, bytes.getFloat());
        assertEquals(0, bytes.remaining());
    }

    /** Every prefix of a file, and every file with one byte changed, gives an IOException or a network; nothing else. */
    @Test
    void damageIsReported() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        Network.builder(2).layer(3, Activation.RELU).backend(Backend.pureJava()).build().save(file);
        final byte[] good = Files.readAllBytes(file);
        for (int length = 0; length < good.length; length++) {
            Files.write(file, Arrays.copyOf(good, length));
            assertTrue(assertThrows(IOException.class, () -> Network.load(file, Backend.pureJava())).getMessage()
                .startsWith(file + ": is not a model that can be read: "));
        }
        final Random random = new Random(1);
        for (int time = 0; time < 5000; time++) {
            final byte[] damaged = good.clone();
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            Files.write(file, damaged);
            try {
                Network.load(file, Backend.pureJava());
            } catch (IOException expected) {
                assertTrue(expected.getMessage().startsWith(file + ": "), expected.getMessage());
            }
        }
    }

    @Test
    void hostileHeadersAreRefused() throws IOException {
        refused("{\"__metadata__\":{\"format\":\"pt\"}}", "its metadata do not say format \"backblas\"");
        refused("[".repeat(100_000), "");
        refused("{}", "its header has no object __metadata__");
        refused(header("relu", "[3000000,2]", "[0,24]"), "bytes; expected 36");
        refused(header("relu", "[46340,46340]", "[0,24]"), "bytes; expected 8589"); // before memory is taken for it
        refused(header("relu", "[3,2]", "[-24,0]"), "lies at [-24, 0)");
        refused(header("relu", "[2147483647,2]", "[0,24]"), "do not fit one array");
        refused(header("relu", "[3,-2]", "[0,24]"), "expected each to be 1 or more");
        refused(header("relu", "[null,2]", "[0,24]"), "");
        refused(header("relu", "[3,2]", "[{},24]"), "");
        refused(header("relu", "[3,2]", "[0,9223372036854775807]"), "lies at [0, 9223372036854775807)");
        refused(header("hyperbolic", "[3,2]", "[0,24]"), "its activation 'hyperbolic' is unknown to this release");
    }

    private static String header(String activation, String shape, String offsets) {
        return "{\"__metadata__\":{\"format\":\"backblas\",\"version\":\"1\",\"activations\":\"" + activation + "\"},"
            + "\"0.weight\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "},"
            + "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]}}";
    }

    private void refused(String header, String reason) throws IOException {
        final Path file = directory.resolve("hostile.safetensors");
        final byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Files.write(file, ByteBuffer.allocate(8 + json.length + 36).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json)
            .array());
        final String message = assertThrows(IOException.class, () -> Network.load(file, Backend.pureJava())).getMessage();
        assertTrue(message.contains(reason), message);
    }

    @Test
    void aFailedSaveLeavesTheOldFile() throws IOException {
        final Path file = directory.resolve("a.safetensors");
        final Network network = network();
        network.save(file);
        final byte[] old = Files.readAllBytes(file);
        network.weights(2).put(5, Float.NaN);
        assertEquals("save: weight 5 of layer 2 is NaN",
                     assertThrows(IllegalStateException.class, () -> network.save(file)).getMessage());
        assertArrayEquals(old, Files.readAllBytes(file));
        onlyFileIs(file);
        final Path missing = directory.resolve("none/a.safetensors");
        network.weights(2).put(5, 0);
        final String message = assertThrows(IOException.class, () -> network.save(missing)).getMessage();
        assertTrue(message.startsWith(missing + ": cannot be written: no such file or directory"), message);
        assertThrows(IOException.class, () -> network.save(directory)); // a directory is not replaced
        onlyFileIs(file);
    }

    private void onlyFileIs(Path file) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            assertEquals(java.util.List.of(file), files.toList(), "no part of a file is left");
        }
    }
}
