package dev.backblas.backend;

import static dev.backblas.backend.Probe.say;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.ForkedJvm.Result;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The JNI border under {@code -Xcheck:jni}, which copies every array, guards the copies and complains of broken rules. */
@Natives.Required
class JniCheckTest {

    @Test
    void theBorderKeepsTheRulesOfJni() throws Exception {
        final Result plain = new ForkedJvm().run(Workload.class);
        final Result checked = new ForkedJvm("-Xcheck:jni").run(Workload.class);

        final List<String> complaints = checked.out().stream().filter(line -> line.matches("(WARNING|FATAL).*")).toList();
        assertEquals(List.of(), complaints, checked::toString);
        assertEquals(plain.values("bits"), checked.values("bits"));
        assertEquals(Workload.SIZES.length * Workload.SIZES.length * Workload.BATCHES.length + 1, plain.values("bits").size());

        for (Result result : List.of(plain, checked)) assertEquals("0", result.value("first cache line")); // to 15
        assertEquals("true", plain.value("concurrent tiles"));
        assertEquals("false", checked.value("concurrent tiles"));
        assertEquals("1", checked.value("threads of a large step"));
    }

    /** Every kernel in many shapes, beginning anywhere in its arrays, and a training. */
    static final class Workload {
        static final int[] SIZES = {1, 3, 16, 65, 200};
        static final int[] BATCHES = {1, 2, 5, 33, 300};

        public static void main(String[] args) {
            final Backend backend = Backend.openBlas();
            say("concurrent tiles", backend::allowsConcurrentTiles);
            final Random random = new Random(42);
            for (int in : SIZES)
                for (int out : SIZES)
                    for (int m : BATCHES) say("bits", () -> kernels(backend, in, out, m, random));
            say("bits", () -> training(random));
            say("first cache line", () -> OpenBlas.firstCacheLine(new float[100]) & ~15);
            final Network large = Network.builder(500).layer(500, Activation.TANH).build();
            try (Trainer trainer = Trainer.of(large, Loss.SQUARED_ERROR).batch(128).build()) {
                say("threads of a large step", trainer::threads);
            }
        }

        private static String kernels(Backend backend, int in, int out, int m, Random random) {
            final int w = 1, b = 2, a = 3, next = 4; // offsets
            final float[] ws = Probe.random(w + in * out, random), bs = Probe.random(b + out, random);
            final float[] as = Probe.random(a + in * m, random), nexts = new float[next + out * m];
            final float[] previous = new float[a + in * m], dw = ws.clone(), db = bs.clone();
            int bits = 0;
            for (Activation phi : Activation.values()) {
                backend.affine(in, out, m, ws, w, phi == Activation.TANH ? null : bs, b, as, a, phi, nexts, next);
                bits = 31 * bits + Arrays.hashCode(nexts);
                if (phi == Activation.SOFTMAX) continue;
                backend.inputGradient(in, out, m, ws, w, nexts, next, phi, as, a, previous, a);
                backend.weightGradient(in, out, m, out / 3, out, 0.5f, as, a, nexts, next, 0.9f, dw, w, 1, db, b);
                bits = 31 * (31 * bits + Arrays.hashCode(previous)) + Arrays.hashCode(dw) + Arrays.hashCode(db);
            }
            return in + "x" + out + "x" + m + " " + Integer.toHexString(bits);
        }

        private static String training(Random random) {
            final int batch = 64;
            final Network network = Network.builder(30).layer(50, Activation.RELU).layer(5, Activation.SOFTMAX).build();
            final float[] x = Probe.random(30 * batch, random), y = new float[5 * batch];
            for (int j = 0; j < batch; j++) y[j * 5 + random.nextInt(5)] = 1;
            double loss = 0;
            try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).batch(batch).threads(1).build()) {
                for (int step = 0; step < 200; step++) loss = trainer.step(x, y, batch);
            }
            return "training " + loss + " "
                + Integer.toHexString(Arrays.hashCode(network.parameters()));
        }
    }
}
