package dev.backblas.backend;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;

/** Prints, line by line, what the backends of this virtual machine are and whether they are right. */
final class Probe {

    private Probe() {}

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < 2; i++) {
            final Thread other = new Thread(() -> say("fastest elsewhere", () -> Backend.fastest().name()));
            other.start();
            say("fastest", () -> Backend.fastest().name());
            other.join();
        }
        say("openBlas", () -> Backend.openBlas().description());
        say("concurrent tiles", () -> Backend.openBlas().allowsConcurrentTiles());
        say("product", () -> product(Backend.fastest()));
    }

    static void say(String key, Callable<?> value) {
        String text;
        try {
            text = String.valueOf(value.call());
        } catch (Exception e) {
            text = e.getClass().getSimpleName() + ": " + e.getMessage();
        }
        System.out.println(key + ": " + text);
    }

    /** Whether a product is right, and what its bits are. */
    static String product(Backend backend) {
        final int in = 37, out = 29, m = 41;
        final Random random = new Random(7);
        final float[] w = random(in * out, random), b = random(out, random), a = random(in * m, random);
        final float[] got = new float[out * m];
        backend.affine(in, out, m, w, b, a, Activation.IDENTITY, got);
        for (int j = 0; j < m; j++)
            for (int k = 0; k < out; k++) {
                double want = b[k];
                for (int i = 0; i < in; i++) want += (double) w[k * in + i] * a[j * in + i];
                if (!(Math.abs(got[j * out + k] - want) < 1e-4)) return "wrong: " + got[j * out + k] + ", expected " + want;
            }
        return "right " + Integer.toHexString(Arrays.hashCode(got));
    }

    static float[] random(int n, Random random) {
        final float[] values = new float[n];
        for (int i = 0; i < n; i++) values[i] = (float) random.nextGaussian();
        return values;
    }
}
