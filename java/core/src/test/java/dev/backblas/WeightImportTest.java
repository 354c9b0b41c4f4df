package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightImportTest {

    @TempDir
    Path directory;

    /**
     * Written by scikit-learn 1.2.1 and safetensors 0.8.0: an MLPClassifier of iris, 4-5-4-3 with tanh, in double precision. The
     * probabilities are those of its predict_proba.
     */
    @Test
    void aModelOfScikitLearnPredictsTheSame() throws IOException, URISyntaxException {
        final URL file = Objects.requireNonNull(WeightImportTest.class.getResource("scikit-learn-1.2-iris.safetensors"));
        final Network network = WeightImport.of(Path.of(file.toURI()))
            .dense("coefs_.0", "intercepts_.0", Activation.TANH)
            .dense("coefs_.1", "intercepts_.1", Activation.TANH)
            .dense("coefs_.2", "intercepts_.2", Activation.SOFTMAX)
            .load(Backend.pureJava());
        final MlpClassifier<String> model = MlpClassifier.of(network, List.of("setosa", "versicolor", "virginica"), null);
        assertArrayEquals(new float[] {0.709579302913943f, 0.27073036814883916f, 0.019690328937217845f},
                          model.predictProba(new float[] {5.1f, 3.5f, 1.4f, 0.2f}), 2e-6f);
        assertArrayEquals(new float[] {0.10868412537689004f, 0.3616359840812673f, 0.5296798905418427f},
                          model.predictProba(new float[] {5.9f, 3.2f, 4.8f, 1.8f}), 2e-6f);
        assertEquals("virginica", model.predict(new float[] {6.7f, 3.1f, 5.6f, 2.4f}));
    }

    /** Weights [out, in] as PyTorch's, in three types: y = 10 (x₀ + 2 x₁ + 3 x₂ + ½) + 100 (4 x₀ + 5 x₁ − 6 x₂ − ½). */
    @Test
    void weightsOfPyTorchKeepTheirOrder() throws IOException {
        final ByteBuffer data = ByteBuffer.allocate(12 + 8 + 4 + 4).order(ByteOrder.LITTLE_ENDIAN);
        for (float w : new float[] {1, 2, 3, 4, 5, -6}) data.putShort((short) (Float.floatToIntBits(w) >>> 16)); // BF16
        data.putFloat(0.5f).putFloat(-0.5f);                                              // F32
        data.putShort((short) 0x4900).putShort((short) 0x5640);                           // F16: 10, 100
        data.putFloat(7);
        final Path file = file("{\"net.0.weight\":" + tensor("BF16", "2,3", 0, 12)
            + ",\"net.0.bias\":" + tensor("F32", "2", 12, 20) + ",\"net.2.weight\":" + tensor("F16", "1,2", 20, 24)
            + ",\"extra\":" + tensor("I32", "1", 24, 28) + "}", data.array());
        final Network network = WeightImport.of(file).linear("net.0.weight", "net.0.bias", Activation.IDENTITY)
            .linear("net.2.weight", null, Activation.IDENTITY).load(Backend.pureJava());
        assertEquals("3-2:identity-1:identity", network.toString());
        assertEquals(10 * (1 + 20 + 300 + 0.5f) + 100 * (4 + 50 - 600 - 0.5f), network.predict(new float[] {1, 10, 100})[0]);
    }

    @Test
    void halvesAreExact() throws IOException {
        final short[] halves = {0x0001, 0x03ff, 0x0400, 0x3555, 0x7bff, (short) 0xc000, (short) 0x8000, 0x3c00};
        final float[] want = {0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, 0.33325195f, 65504, -2, -0f, 1};
        final ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        for (short half : halves) data.putShort(half);
        final Path file = file("{\"w\":" + tensor("F16", "2,4", 0, 16) + "}", data.array());
        final float[] got = new float[8];
        WeightImport.of(file).linear("w", null, Activation.IDENTITY).load(Backend.pureJava()).weights(1).get(got);
        assertArrayEquals(want, got);
        data.putShort(0, (short) 0x7c00);
        refused("load: weight 0 of layer 1 is Infinity",
                WeightImport.of(file("{\"w\":" + tensor("F16", "2,4", 0, 16) + "}", data.array()))
                    .linear("w", null, Activation.IDENTITY));
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        final Path file = directory.resolve("other.safetensors");
        final float[] values = new float[12];
        Safetensors.write(file, Map.of(), List.of(new Safetensors.Tensor("a", values, 0, 3, 2),
            new Safetensors.Tensor("b", values, 0, 3), new Safetensors.Tensor("c", values, 0, 2, 2, 3)));
        refused("it has no tensor z; it has a, b, c", WeightImport.of(file).linear("z", "b", Activation.RELU));
        refused("the tensor c has 3 dimensions; expected 2", WeightImport.of(file).linear("c", null, Activation.RELU));
        refused("the tensor b is [3]; expected [2]", WeightImport.of(file).dense("a", "b", Activation.RELU));
        refused("the tensor a takes 2 inputs; expected 3, what the layer before gives (is it dense, [in, out]?)",
                WeightImport.of(file).linear("a", "b", Activation.RELU).linear("a", null, Activation.RELU));
        refused("layer 1 is softmax; expected it in the last layer only",
                WeightImport.of(file).linear("a", "b", Activation.SOFTMAX).dense("a", null, Activation.RELU));
        refused("no such file or directory", WeightImport.of(directory.resolve("none")).linear("a", "b", Activation.RELU));
        assertEquals("import: there is no layer; expected one or more calls of linear or dense",
                     assertThrows(IllegalStateException.class, () -> WeightImport.of(file).load()).getMessage());
        for (String lies : new String[] {tensor("F32", "40000,40000", 0, 4), tensor("F32", "2,3", 0, 24),
                tensor("F32", "2,3", -24, 0), tensor("I64", "2,3", 0, 48),
                tensor("F32", "2147483647,2147483647", 0, 4), "{}", "7", "null"})
            refused("", WeightImport.of(file("{\"w\":" + lies + "}", new byte[8])).linear("w", null, Activation.RELU));
    }

    private static String tensor(String type, String shape, int from, int to) {
        return "{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + from + "," + to + "]}";
    }

    private Path file(String header, byte[] data) throws IOException {
        final byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return Files.write(directory.resolve("imported.safetensors"), ByteBuffer.allocate(8 + json.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json).put(data).array());
    }

    private static void refused(String reason, WeightImport what) {
        final String message = assertThrows(IOException.class, () -> what.load(Backend.pureJava())).getMessage();
        assertTrue(message.contains(": is not a model that can be read: " + reason), message);
    }
}
