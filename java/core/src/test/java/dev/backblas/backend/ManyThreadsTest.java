package dev.backblas.backend;

import static dev.backblas.backend.Probe.say;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.Network;
import dev.backblas.backend.ForkedJvm.Result;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Far more threads than processors, and than OpenBLAS has buffers: beyond 128 callers it corrupts memory or crashes. */
@Natives.Required
class ManyThreadsTest {

    /** Seen as one of so many processors, the machine lets in as many as OpenBLAS can take. */
    private static final String MANY_PROCESSORS = "-XX:ActiveProcessorCount=1000";

    @Test
    void allAreRight() throws Exception {
        assertRight(new ForkedJvm().run(Crowd.class));
    }

    @Test
    void allAreRightWithManyProcessors() throws Exception {
        assertRight(new ForkedJvm(MANY_PROCESSORS).run(Crowd.class));
    }

    @Test
    void allAreRightWithManyProcessorsInAnOpenBlasThatIsNamed() throws Exception {
        assertRight(new ForkedJvm(MANY_PROCESSORS, "-Dbackblas.openblas=" + Natives.openBlas()).run(Crowd.class));
    }

    private static void assertRight(Result result) {
        assertEquals(0, result.number("wrong"), result::toString);
        assertTrue(result.number("inside at most") > 128, result::toString); // else it proves nothing
        assertEquals(List.of(), Stream.concat(result.out().stream(), result.err().stream())
            .filter(line -> line.contains("BLAS warning") || line.contains("BLAS :")).toList());
    }

    static final class Crowd {
        private static final int THREADS = 300;

        public static void main(String[] args) throws InterruptedException {
            final Backend backend = Backend.openBlas();
            final Random random = new Random(1);
            // Several times as long as a processor stays with one thread while others wait for it: all come to be inside
            final int in = 2048, out = 32, m = 8192;
            final float[] a = new float[in * m], delta = Probe.random(out * m, random), dw = new float[in * out];
            for (int i = 0; i < a.length; i++) a[i] = i * 37 % 19 / 8f - 1;
            backend.weightGradient(in, out, m, 1, a, delta, 0, dw, null);
            final Network network = Network.builder(64).layer(48, Activation.RELU).layer(10, Activation.SOFTMAX).build();
            final float[] x = Probe.random(64 * 100, random), y = new float[10 * 100];
            network.predict(x, 100, y);

            final AtomicInteger ready = new AtomicInteger(), inside = new AtomicInteger(), most = new AtomicInteger();
            final AtomicInteger wrong = new AtomicInteger(THREADS);
            final Thread[] threads = new Thread[THREADS];
            for (int t = 0; t < THREADS; t++) {
                final float[] dwHere = new float[in * out], yHere = new float[10 * 100];
                threads[t] = new Thread(() -> {
                    ready.incrementAndGet();
                    while (ready.get() < THREADS) Thread.yield();
                    most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                    backend.weightGradient(in, out, m, 1, a, delta, 0, dwHere, null);
                    inside.decrementAndGet();
                    boolean right = Arrays.equals(dw, dwHere);
                    for (int times = 0; times < 5; times++) {
                        Arrays.fill(yHere, Float.NaN);
                        network.predict(x, 100, yHere);
                        right &= Arrays.equals(y, yHere);
                    }
                    if (right) wrong.decrementAndGet();
                });
            }
            for (Thread thread : threads) thread.start();
            for (Thread thread : threads) thread.join();
            say("wrong", wrong::get);
            say("inside at most", most::get);
        }
    }

    /** The virtual machine unloads OpenBLAS under threads that are still inside. */
    @Test
    void theProcessMayEndMeanwhile() throws Exception {
        final Result result = new ForkedJvm("--enable-native-access=ALL-UNNAMED").run(Leaving.class);
        assertEquals(List.of("inside: true"), result.out());
        assertEquals(List.of(), result.err());
    }

    static final class Leaving {
        public static void main(String[] args) throws InterruptedException {
            final Backend backend = Backend.openBlas();
            final AtomicInteger calls = new AtomicInteger();
            for (int t = 0; t < 40; t++) {
                final float[] w = new float[512 * 256], a = new float[512 * 256], next = new float[256 * 256];
                final Thread thread = new Thread(() -> {
                    while (true) {
                        backend.affine(512, 256, 256, w, null, a, Activation.RELU, next);
                        calls.incrementAndGet();
                    }
                });
                thread.setDaemon(true);
                thread.start();
            }
            while (calls.get() < 100) Thread.sleep(1);
            say("inside", () -> true);
            System.exit(0);
        }
    }
}
