package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Cost;
import java.util.EnumSet;
import java.util.Set;

/** The losses of {@link Loss} that the backends compute. */
enum BuiltInLoss implements Loss {
    SQUARED_ERROR(Cost.SQUARED_ERROR, EnumSet.allOf(Activation.class)),
    ABSOLUTE_ERROR(Cost.ABSOLUTE_ERROR, EnumSet.allOf(Activation.class)),
    POISSON(Cost.POISSON, EnumSet.of(Activation.SOFTPLUS, Activation.SIGMOID, Activation.SOFTMAX)),
    BINARY_CROSS_ENTROPY(Cost.BINARY_CROSS_ENTROPY, EnumSet.of(Activation.SIGMOID)),
    CROSS_ENTROPY(Cost.CROSS_ENTROPY, EnumSet.of(Activation.SOFTMAX));

    final Cost cost;
    private final Set<Activation> outputs;

    BuiltInLoss(Cost cost, Set<Activation> outputs) {
        this.cost = cost;
        this.outputs = outputs;
    }

    @Override
    public Set<Activation> outputs() {
        return outputs;
    }

    @Override
    public boolean takesZ() {
        return cost.takesZ();
    }

    @Override
    public double cost(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        return cost(n, 1, a, aOffset, y, yOffset, gradient, gradientOffset);
    }

    @Override
    public double cost(int n, int m, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        final double sum = cost.apply(n, m, a, aOffset, y, yOffset, null, 0, gradient, gradientOffset);
        if (Double.isNaN(sum)) cost.requireTargets(n, m, y, yOffset);
        return sum;
    }
}
