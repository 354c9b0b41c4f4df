package dev.backblas.benchmarks;

import dev.backblas.Network;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Prediction; the row {@code predict:samples} is samples per second. With {@code -t} threads share one network. */
@State(Scope.Benchmark)
public class PredictBenchmark extends BackendBenchmark {

    @Param({"W1", "W2"})
    public Shape shape;

    @Param({"1", "1024"})
    public int batch;

    private Network network;
    private float[] x;

    @Setup
    public void setup() {
        network = shape.network(backend());
        x = new float[network.inputs() * batch];
        final Random random = new Random(1);
        for (int j = 0; j < batch; j++) shape.drawInput(random, x, j);
        final float[] out = new float[network.outputs() * batch];
        network.predict(x, batch, out);
        new Reference(network).checkPrediction(x, batch, out);
    }

    /** Each thread's own. */
    @State(Scope.Thread)
    public static class Output {
        private float[] out;

        @Setup
        public void setup(PredictBenchmark benchmark) {
            out = new float[benchmark.network.outputs() * benchmark.batch];
        }
    }

    @Benchmark
    public float[] predict(Output output, Counter counter) {
        counter.samples += batch;
        network.predict(x, batch, output.out);
        return output.out;
    }
}
