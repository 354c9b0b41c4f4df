package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.backblas.backend.Backend;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Files of every version that was ever released, with the predictions of the model that wrote them. They stay for ever, as they
 * are; what cannot read them is wrong.
 */
class OldFilesTest {

    private static Path file(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(OldFilesTest.class.getResource(name), name).toURI());
    }

    @Test
    void aClassifierOfVersion1() throws IOException, URISyntaxException {
        final MlpClassifier<String> model = MlpClassifier.load(file("version-1-classifier.safetensors"), String.class,
                                                               MlpClassifier.builder().backend(Backend.pureJava()));
        assertEquals("MlpClassifier (4-5:gelu-4:gelu-3:softmax; 3 classes [big, ripe, un\"ripe\"]; inputs standardised)",
                     model.toString());
        final TableEncoder encoder = Objects.requireNonNull(model.encoder());
        assertEquals(List.of("size", "colour=green", "colour=ros\u00e9", "same"), encoder.inputNames());
        assertEquals(model.labels(), encoder.labels());
        assertEquals("weight", encoder.weight());
        final TableEncoder.Rows rows = encoder.rows(List.of("colour", "size", "same"));
        final float[] x = new float[4];
        rows.inputs(2, List.of("green", "6.5", "7"), x, 0);
        assertArrayEquals(new float[] {0.99966276f, 2.7650149E-8f, 3.3722274E-4f}, model.predictProba(x), 1e-5f);
        rows.inputs(3, List.of("ros\u00e9", "4.5", "7"), x, 0);
        assertArrayEquals(new float[] {9.937802E-9f, 1, 1.5617957E-9f}, model.predictProba(x), 1e-5f);
        rows.inputs(4, List.of("blue", "5.0", "8"), x, 0); // a new colour, and what never changed has changed
        assertArrayEquals(new float[] {0.007880801f, 0.9918063f, 3.1286E-4f}, model.predictProba(x), 1e-5f);
    }

    @Test
    void aRegressorOfVersion1() throws IOException, URISyntaxException {
        final MlpRegressor model =
            MlpRegressor.load(file("version-1-regressor.safetensors"), MlpRegressor.builder().backend(Backend.pureJava()));
        assertEquals("MlpRegressor (2-6:tanh-2:identity; 2 outputs; inputs standardised; targets standardised)",
                     model.toString());
        assertArrayEquals(new float[] {1460.817f, 0.82241476f}, model.predict(new float[] {500, 1}), 0.02f);
        assertArrayEquals(new float[] {-2841.064f, 0.2002399f}, model.predict(new float[] {-1000, -0.5f}), 0.02f);
    }

    @Test
    void aNetworkOfVersion1() throws IOException, URISyntaxException {
        final Network network = Network.load(file("version-1-network.safetensors"), Backend.pureJava());
        assertEquals("3-4:leaky_relu-2:sigmoid", network.toString());
        assertArrayEquals(new float[] {0.46822822f, 0.4695821f}, network.predict(new float[] {1, -2, 0.5f}), 1e-6f);
    }
}
