package dev.backblas.benchmarks;

/**
 * A library at work on a {@link Problem}. An implementation has a constructor that takes the problem and a number of threads,
 * and starts from the problem's first weights.
 */
public interface Contender extends AutoCloseable {

    /** What really runs: the library, its version and whatever decides its speed. */
    String description();

    /** Takes one step of gradient descent on the batch, or predicts it; asked for again and again. */
    void run();

    /** Does so as often; a library that takes several steps a call may. */
    default void run(int times) {
        for (int i = 0; i < times; i++) run();
    }

    /** Wˡ after the steps so far, in × out: the weights into a unit side by side. */
    float[] weights(int l);

    /** bˡ after the steps so far. */
    float[] biases(int l);

    /** What was predicted last, outputs × m. */
    float[] outputs();

    @Override
    default void close() {}
}
