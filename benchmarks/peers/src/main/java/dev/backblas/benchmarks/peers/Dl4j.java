package dev.backblas.benchmarks.peers;

import dev.backblas.Layer;
import dev.backblas.Loss;
import dev.backblas.benchmarks.Contender;
import dev.backblas.benchmarks.Problem;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossBinaryXENT;
import org.nd4j.linalg.lossfunctions.impl.LossL2;
import org.nd4j.linalg.lossfunctions.impl.LossMCXENT;

/** Eclipse Deeplearning4j; the batch stays in an INDArray. */
public final class Dl4j implements Contender {

    private final Problem problem;
    private final MultiLayerNetwork network;
    private final INDArray x;
    private final INDArray y;
    private float[] outputs;

    public Dl4j(Problem problem, int threads) { // ND4J has its threads from the environment
        this.problem = problem;
        final int L = problem.depth();
        final NeuralNetConfiguration.ListBuilder layers =
            new NeuralNetConfiguration.Builder().updater(new Sgd(Problem.RATE)).list();
        for (int l = 1; l <= L; l++) {
            final Layer layer = problem.layer(l);
            final Activation phi = Activation.valueOf(layer.activation().name());
            layers.layer(l < L
                ? new DenseLayer.Builder().nIn(layer.in()).nOut(layer.out()).activation(phi).build()
                : new OutputLayer.Builder(loss()).nIn(layer.in()).nOut(layer.out()).activation(phi).build());
        }
        network = new MultiLayerNetwork(layers.build());
        network.init();
        for (int l = 1; l <= L; l++) {
            final Layer layer = problem.layer(l);
            network.setParam(name(l, "W"), Nd4j.create(problem.weights(l), new long[] {layer.in(), layer.out()}, 'f'));
            network.setParam(name(l, "b"), Nd4j.create(problem.biases(l), new long[] {1, layer.out()}, 'f'));
        }
        x = Nd4j.create(problem.x(), new long[] {problem.m(), problem.layer(1).in()}, 'c');
        y = Nd4j.create(problem.y(), new long[] {problem.m(), problem.layer(L).out()}, 'c');
    }

    private ILossFunction loss() {
        if (problem.loss() == Loss.CROSS_ENTROPY) return new LossMCXENT();
        if (problem.loss() == Loss.BINARY_CROSS_ENTROPY) return new LossBinaryXENT();
        // The squared error; ours is half of it
        return new LossL2(Nd4j.valueArrayOf(new long[] {1, problem.layer(problem.depth()).out()}, 0.5));
    }

    /** DL4J counts from 0. */
    private static String name(int l, String parameter) {
        return l - 1 + "_" + parameter;
    }

    @Override
    public String description() {
        final String jar = MultiLayerNetwork.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return "DL4J, " + jar.substring(jar.lastIndexOf('/') + 1);
    }

    @Override
    public void run() {
        if (problem.training()) network.fit(x, y);
        else outputs = network.output(x).data().asFloat();
    }

    @Override
    public float[] weights(int l) {
        return network.getParam(name(l, "W")).dup('f').data().asFloat();
    }

    @Override
    public float[] biases(int l) {
        return network.getParam(name(l, "b")).dup('f').data().asFloat();
    }

    @Override
    public float[] outputs() {
        return outputs;
    }
}
