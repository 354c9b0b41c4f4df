package dev.backblas.benchmarks;

import java.util.List;
import java.util.stream.Stream;

/** What contenders are measured at: steps of training (W), and predictions (I). */
public enum Workload {
    W1(Shape.W1),
    W2(Shape.W2),
    W3(Shape.W3),
    W4(Shape.W4),
    W5(Shape.W5),
    W6(Shape.W6),
    I1(Shape.W1, 1),
    I2(Shape.W2, 1024);

    private final Shape shape;
    private final int batch;
    private final boolean training;

    Workload(Shape shape) {
        this.shape = shape;
        this.batch = shape.batch();
        training = true;
    }

    Workload(Shape shape, int batch) {
        this.shape = shape;
        this.batch = batch;
        training = false;
    }

    Shape shape() {
        return shape;
    }

    /** The samples of a step or of a prediction. */
    public int batch() {
        return batch;
    }

    /** Whether it trains; else it predicts. */
    public boolean training() {
        return training;
    }

    static List<Workload> trained() {
        return Stream.of(values()).filter(Workload::training).toList();
    }

    /** Such as {@code train 784-128-10, batch 128}. */
    public String title() {
        return (training ? "train " : "predict ") + shape.units() + ", batch " + batch;
    }
}
