package dev.backblas;

import dev.backblas.backend.UpdateRule;

/**
 * How a step follows the gradient: {@link #adam()} where little is to be tuned, {@link #sgd()} where speed counts most,
 * {@link #lbfgs()} for small data that are to be fitted closely. Chapter 8 of I. Goodfellow, Y. Bengio and A. Courville, "Deep
 * Learning", 2016, has all of them but AdamW's decay; η is the rate of the {@link Trainer}, g the gradient of the batch.
 *
 * <p>Instances are immutable and equal where their settings are.
 */
public final class Optimizer {

    private static final float BETA1 = 0.9f, BETA2 = 0.999f, EPSILON = 1e-8f;

    private final String name;
    private final UpdateRule rule;
    private final float beta1, beta2, epsilon, decay;
    private final int memory; // pairs of L-BFGS; 0 for the others

    private Optimizer(String name, UpdateRule rule, double beta1, double beta2, double epsilon, double decay,
                      int memory) {
        this.name = name;
        this.rule = rule;
        this.beta1 = (float) beta1;
        this.beta2 = (float) beta2;
        this.epsilon = (float) epsilon;
        this.decay = (float) decay;
        this.memory = memory;
    }

    /**
     * {@return stochastic gradient descent, θ ← θ − η g: the default, which is taken inside of the product} H. Robbins and S.
     * Monro, 1951.
     */
    public static Optimizer sgd() {
        return new Optimizer("sgd", UpdateRule.DESCENT, 0, 0, 0, 0, 0);
    }

    /**
     * {@return momentum, v ← μ v + g, θ ← θ − η v} B. Polyak, 1964; "Deep Learning", §8.3.2, where v holds −η v.
     *
     * @param mu μ, often 0.9; in [0, 1)
     * @throws IllegalArgumentException if it is out of range
     */
    public static Optimizer momentum(double mu) {
        return new Optimizer("momentum", UpdateRule.MOMENTUM, share("mu", mu), 0, 0, 0, 0);
    }

    /**
     * {@return Nesterov's momentum, v ← μ v + g, θ ← θ − η (g + μ v)} I. Sutskever et al., "On the importance of initialization
     * and momentum in deep learning", 2013, in the variables of Y. Bengio et al., 2013, which are those that are looked ahead to.
     *
     * @param mu μ, often 0.9; in [0, 1)
     * @throws IllegalArgumentException if it is out of range
     */
    public static Optimizer nesterov(double mu) {
        return new Optimizer("nesterov", UpdateRule.NESTEROV, share("mu", mu), 0, 0, 0, 0);
    }

    /** {@return {@link #rmsProp(double, double)} with ρ = 0.9 and ε = 1e-8; often with η = 0.001} */
    public static Optimizer rmsProp() {
        return rmsProp(0.9, EPSILON);
    }

    /**
     * {@return RMSProp, v ← ρ v + (1 − ρ) g², θ ← θ − η g / (√v + ε)} G. Hinton, "Neural Networks for Machine Learning", lecture
     * 6, 2012; "Deep Learning", algorithm 8.5, with ε outside of the root.
     *
     * @param rho     ρ, in [0, 1)
     * @param epsilon ε, above 0
     * @throws IllegalArgumentException if one is out of range
     */
    public static Optimizer rmsProp(double rho, double epsilon) {
        return new Optimizer("rmsprop", UpdateRule.RMSPROP, 0, share("rho", rho), small(epsilon), 0, 0);
    }

    /**
     * {@return {@link #adam(double, double, double)} with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8, as its authors; often with η =
     * 0.001}
     */
    public static Optimizer adam() {
        return adam(BETA1, BETA2, EPSILON);
    }

    /**
     * {@return Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η m̂ / (√v̂ + ε), where m̂ = m / (1 − β₁ᵗ) in step t,
     * and v̂ = v / (1 − β₂ᵗ)} D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1.
     *
     * @param beta1   β₁, in [0, 1)
     * @param beta2   β₂, in [0, 1)
     * @param epsilon ε, above 0
     * @throws IllegalArgumentException if one is out of range
     */
    public static Optimizer adam(double beta1, double beta2, double epsilon) {
        return new Optimizer("adam", UpdateRule.ADAM, share("beta1", beta1), share("beta2", beta2), small(epsilon), 0, 0);
    }

    /**
     * {@return {@link #adamW(double, double, double, double)} with β₁ = 0.9, β₂ = 0.999 and ε = 1e-8}
     *
     * @param decay λ, often 0.01; finite, 0 or more
     * @throws IllegalArgumentException if it is out of range
     */
    public static Optimizer adamW(double decay) {
        return adamW(decay, BETA1, BETA2, EPSILON);
    }

    /**
     * {@return AdamW: {@link #adam(double, double, double)}, and weights (not biases) decay beside it, W ← W − η λ W} I.
     * Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", 2019, algorithm 2, with λ times η as in PyTorch.
     *
     * @param decay   λ, often 0.01; finite, 0 or more
     * @param beta1   β₁, in [0, 1)
     * @param beta2   β₂, in [0, 1)
     * @param epsilon ε, above 0
     * @throws IllegalArgumentException if one is out of range
     */
    public static Optimizer adamW(double decay, double beta1, double beta2, double epsilon) {
        if (!(decay >= 0) || !Float.isFinite((float) decay))
            throw new IllegalArgumentException("optimizer: decay is " + decay + "; expected a finite number, 0 or more");
        return new Optimizer("adamw", UpdateRule.ADAM, share("beta1", beta1), share("beta2", beta2), small(epsilon), decay, 0);
    }

    /** {@return {@link #lbfgs(int)} that remembers 10 pairs} */
    public static Optimizer lbfgs() {
        return lbfgs(10);
    }

    /**
     * {@return L-BFGS on all samples at once, for small data} An epoch is one iteration, which goes through them as often as its
     * line search asks, mostly once or twice beside the first time. D. Liu and J. Nocedal, 1989; J. Nocedal and S. Wright,
     * "Numerical Optimization", 2006, chapters 3 and 7: strong Wolfe conditions with c₁ = 1e-4 and c₂ = 0.9. The rate, the
     * schedule and the batch change nothing in it but the memory and, in the last bits, sums; it knows no L1, no dropout and no
     * clipping.
     *
     * @param memory how many steps are remembered; 1 to 100
     * @throws IllegalArgumentException if it is out of range
     */
    public static Optimizer lbfgs(int memory) {
        if (memory < 1 || memory > 100)
            throw new IllegalArgumentException("optimizer: the memory of L-BFGS is " + memory + "; expected 1 to 100");
        return new Optimizer("lbfgs", UpdateRule.DESCENT, 0, 0, 0, 0, memory);
    }

    private static double share(String name, double value) {
        if (!(value >= 0 && (float) value < 1))
            throw new IllegalArgumentException("optimizer: " + name + " is " + value + "; expected a number in [0, 1)");
        return value;
    }

    private static double small(double epsilon) {
        if (!((float) epsilon > 0) || !Float.isFinite((float) epsilon))
            throw new IllegalArgumentException("optimizer: epsilon is " + epsilon + "; expected a finite number above 0");
        return epsilon;
    }

    UpdateRule rule() {
        return rule;
    }

    /** How many steps L-BFGS remembers; 0 for the others. */
    int memory() {
        return memory;
    }

    /** Whether a step is W ← a W − b A δᵀ, which the product itself can take. */
    boolean isPlain() {
        return rule == UpdateRule.DESCENT && memory == 0;
    }

    /**
     * Writes the numbers of step t, t = 1, 2, …: those of the weights, then those of the biases, which no penalty touches.
     *
     * @param eta   η
     * @param scale what the gradient is multiplied by
     * @param l2    λ₂ per sample
     * @param l1    λ₁ per sample
     */
    void write(float[] numbers, int offset, long t, float eta, float scale, float l2, float l1) {
        double correctedEta = eta, correctedEpsilon = epsilon;
        if (rule == UpdateRule.ADAM) { // Kingma and Ba, the end of §2: the corrections of m and v go into η and ε
            final double v = Math.sqrt(1 - Math.pow(beta2, t));
            correctedEta *= v / (1 - Math.pow(beta1, t));
            correctedEpsilon *= v;
        }
        for (int biases = 0; biases <= 1; biases++) {
            final int at = offset + biases * UpdateRule.NUMBERS;
            numbers[at + UpdateRule.ETA] = (float) correctedEta;
            numbers[at + UpdateRule.KEEP] = biases == 1 ? 1 : 1 - eta * decay;
            numbers[at + UpdateRule.SCALE] = scale;
            numbers[at + UpdateRule.L2] = biases == 1 ? 0 : l2;
            numbers[at + UpdateRule.L1] = biases == 1 ? 0 : l1;
            numbers[at + UpdateRule.BETA1] = beta1;
            numbers[at + UpdateRule.BETA2] = beta2;
            numbers[at + UpdateRule.EPSILON] = (float) correctedEpsilon;
        }
    }

    /** What makes two of them equal, such as {@code adam(0.9, 0.999, 1.0E-8)}. */
    @Override
    public String toString() {
        return switch (name) {
            case "sgd" -> "sgd";
            case "lbfgs" -> "lbfgs(" + memory + ")";
            case "momentum", "nesterov" -> name + "(" + beta1 + ")";
            case "rmsprop" -> name + "(" + beta2 + ", " + epsilon + ")";
            case "adam" -> name + "(" + beta1 + ", " + beta2 + ", " + epsilon + ")";
            default -> name + "(" + decay + ", " + beta1 + ", " + beta2 + ", " + epsilon + ")";
        };
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Optimizer && toString().equals(other.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }
}
