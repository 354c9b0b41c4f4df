package dev.backblas.benchmarks.peers;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.backblas.Layer;
import dev.backblas.benchmarks.Contender;
import dev.backblas.benchmarks.Problem;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** ONNX Runtime: it predicts only. Inputs and outputs are direct buffers that it uses as they are. */
public final class OnnxRuntime implements Contender {

    private static final int OPSET = 13;
    private static final int IR_VERSION = 7; // of that opset's time

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final Map<String, OnnxTensor> x;
    private final Map<String, OnnxTensor> a;
    private final FloatBuffer outputs;

    public OnnxRuntime(Problem problem, int threads) throws OrtException {
        final OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        session = environment.createSession(model(problem).toByteArray(), options);
        final int m = problem.m(), inputs = problem.layer(1).in(), units = problem.layer(problem.depth()).out();
        final FloatBuffer direct = floats(m * inputs).put(0, problem.x());
        outputs = floats(m * units);
        x = Map.of("a0", OnnxTensor.createTensor(environment, direct, new long[] {m, inputs}));
        a = Map.of("a" + problem.depth(), OnnxTensor.createTensor(environment, outputs, new long[] {m, units}));
    }

    private static FloatBuffer floats(int size) {
        return ByteBuffer.allocateDirect(size * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** z1 = a0 W1 + b1, a1 = φ(z1), … */
    private static ModelProto model(Problem problem) {
        final int L = problem.depth();
        final GraphProto.Builder graph = GraphProto.newBuilder().setName("problem")
            .addInput(matrix("a0", problem.m(), problem.layer(1).in()))
            .addOutput(matrix("a" + L, problem.m(), problem.layer(L).out()));
        for (int l = 1; l <= L; l++) {
            final Layer layer = problem.layer(l);
            graph.addInitializer(tensor("w" + l, problem.weights(l), layer.out(), layer.in())); // row by row
            graph.addInitializer(tensor("b" + l, problem.biases(l), layer.out()));
            graph.addNode(NodeProto.newBuilder().setOpType("Gemm").addInput("a" + (l - 1)).addInput("w" + l)
                .addInput("b" + l).addOutput("z" + l).addAttribute(AttributeProto.newBuilder().setName("transB")
                    .setType(AttributeProto.AttributeType.INT).setI(1)));
            graph.addNode(NodeProto.newBuilder().setOpType(operator(layer)).addInput("z" + l).addOutput("a" + l));
        }
        return ModelProto.newBuilder().setIrVersion(IR_VERSION).setGraph(graph)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(OPSET)).build();
    }

    private static String operator(Layer layer) {
        return switch (layer.activation()) {
            case RELU -> "Relu";
            case SIGMOID -> "Sigmoid";
            case SOFTMAX -> "Softmax";
            case IDENTITY -> "Identity";
            default -> throw new IllegalArgumentException("no " + layer.activation() + " here");
        };
    }

    private static ValueInfoProto matrix(String name, int rows, int columns) {
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder().setTensorType(
            TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE).setShape(
                TensorShapeProto.newBuilder().addDim(Dimension.newBuilder().setDimValue(rows))
                    .addDim(Dimension.newBuilder().setDimValue(columns))))).build();
    }

    private static TensorProto tensor(String name, float[] values, int... shape) {
        final TensorProto.Builder tensor =
            TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        for (int size : shape) tensor.addDims(size);
        for (float value : values) tensor.addFloatData(value);
        return tensor.build();
    }

    @Override
    public String description() {
        return "ONNX Runtime " + environment.getVersion();
    }

    @Override
    public void run() {
        try {
            session.run(x, a).close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public float[] weights(int l) {
        throw new UnsupportedOperationException("ONNX Runtime does not train");
    }

    @Override
    public float[] biases(int l) {
        return weights(l);
    }

    @Override
    public float[] outputs() {
        final float[] copy = new float[outputs.capacity()];
        outputs.get(0, copy);
        return copy;
    }
}
