package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Nothing is allocated per step or per prediction. In a virtual machine of its own, as it would be in service: where the compiler
 * has seen a thousand other tests, it may no longer keep the vectors of the Vector API in registers, and then they are objects.
 */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class AllocationTest {

    private final Backend backend;

    AllocationTest(Backend backend) {
        this.backend = backend;
    }

    /** Large enough a step for two threads. */
    private Network network() {
        return Network.builder(64).layer(820, Activation.RELU).layer(10, Activation.SOFTMAX).backend(backend).build();
    }

    @Test
    void nothingIsAllocatedPerStep() {
        final Network network = network();
        for (int threads = 1; threads <= 2; threads++)
            try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).threads(threads).batch(100).rate(0.01).build()) {
                assertEquals(backend.allowsConcurrentTiles() ? threads : 1, trainer.threads());
                requireNothing(trainer, 2, TrainerTest.blobs(200), 200, TrainerTest.blobs(20_000));
                final float[] x = new float[64 * 100], y = new float[10 * 100];
                for (int j = 0; j < 100; j++) y[10 * j] = 1;
                final long least = leastAllocated(1000, () -> {
                    for (int step = 0; step < 1000; step++) trainer.step(x, y, 100);
                });
                assertTrue(least < 1000, threads + " threads: 1000 single steps allocate " + least + " bytes");
            }
    }

    /** Nor where two threads divide layers by units, and gather all samples. */
    @Test
    void nothingIsAllocatedPerStepInPhases() {
        final Network network = Network.builder(400).layer(256, Activation.RELU).layer(192, Activation.RELU)
            .layer(10, Activation.SOFTMAX).backend(backend).build();
        final float[] x = new float[400 * 12_000], y = new float[10 * 12_000];
        for (int j = 0; j < 12_000; j++) y[10 * j] = 1;
        final Dataset many = Dataset.of(x, y, 400, 10), few = many.slice(0, 120);
        try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).threads(2).batch(60).build()) {
            assertEquals(backend.allowsConcurrentTiles() ? 2 : 1, trainer.threads());
            requireNothing(trainer, 2, few, 200, many);
        }
    }

    /** Nor where another thread brings the samples: for the order of the next epoch there is an array of its own, once. */
    @Test
    void nothingIsAllocatedPerStepWhoseSamplesAreBrought() {
        final Network network =
            Network.builder(64).layer(8, Activation.TANH).layer(10, Activation.SOFTMAX).backend(backend).build();
        try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).threads(2).batch(32).rate(0.01)
                .trial(PrefetchTest.ALWAYS).build()) {
            requireNothing(trainer, 150, TrainerTest.blobs(32 * 150), 650, TrainerTest.blobs(32 * 650));
        }
    }

    /** Epochs of many steps allocate no more than epochs of few, or less than a byte a step: 128 bytes more were seen once. */
    private static void requireNothing(Trainer trainer, int fewSteps, Dataset few, int manySteps, Dataset many) {
        for (int steps = 0; steps < 2000; steps += manySteps) trainer.epoch(many);
        trainer.epoch(few); // its order of samples is allocated here
        final long ofFew = leastAllocated(1, () -> trainer.epoch(few));
        trainer.epoch(many);
        final long most = ofFew + manySteps - fewSteps;
        final long ofMany = leastAllocated(most, () -> trainer.epoch(many));
        assertTrue(ofMany < most, trainer.threads() + " threads: " + fewSteps + " steps allocate " + ofFew + " bytes, "
            + manySteps + " steps " + ofMany);
    }

    @Test
    void noOptimizerAllocates() {
        final float[] x = new float[64 * 100], y = new float[10 * 100];
        for (int j = 0; j < 100; j++) y[10 * j] = 1;
        for (Optimizer optimizer : TrainingTest.OPTIMIZERS)
            try (Trainer trainer = Trainer.of(network(), Loss.CROSS_ENTROPY).optimizer(optimizer).rate(1e-6).batch(100)
                    .dropout(0.3).clipNorm(0.5).l1(0.01).schedule(Schedule.cosine(5, 0.1).warmUp(1)).build()) {
                final long least = leastAllocated(200, () -> {
                    for (int step = 0; step < 200; step++) trainer.step(x, y, 100);
                });
                assertTrue(least < 200, optimizer + ": 200 steps allocate " + least + " bytes");
            }
    }

    /** So often the allocated bytes are counted, for the least: until the Vector API's kernels are compiled, they allocate. */
    private static final int TIMES = 100;

    /** Bytes allocated by the threads of a training. To look at all threads would itself take more where there are more. */
    private static long leastAllocated(long enough, Runnable training) {
        final long[] threads = Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread == Thread.currentThread() || thread.getName().startsWith("backblas-"))
            .mapToLong(Thread::getId).toArray();
        long counting = Long.MAX_VALUE, least = Long.MAX_VALUE; // apart: counting too allocates more now and then
        for (int i = 0; i < TIMES; i++) {
            final long before = allocated(threads);
            counting = Math.min(counting, allocated(threads) - before);
        }
        for (int i = 0; i < TIMES && least >= enough; i++) {
            final long before = allocated(threads);
            training.run();
            least = Math.min(least, Math.max(0, allocated(threads) - before - counting));
        }
        return least;
    }

    private static long allocated(long[] threads) {
        final ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (long thread : threads) sum += bean.getThreadAllocatedBytes(thread);
        return sum;
    }

    @Test
    void predictionAllocatesNothing() {
        final Network network = network();
        final float[] x = new float[64 * 300], out = new float[10 * 300];
        for (int i = 0; i < 20_000; i++) network.predict(x, 1, out);
        for (int i = 0; i < 500; i++) network.predict(x, 300, out);
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < TIMES && least >= 100; i++) {
            final long before = threads.getCurrentThreadAllocatedBytes();
            for (int k = 0; k < 100; k++) network.predict(x, k % 2 == 0 ? 1 : 300, out);
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertTrue(least < 100, "100 predictions allocate " + least + " bytes");
    }
}
