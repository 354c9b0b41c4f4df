package dev.backblas.backend;

/**
 * How the gradient g moves a parameter θ, element by element; m and v are what a rule remembers of earlier gradients.
 *
 * <p>Each begins with g ← s g + λ₂ θ + λ₁ sign θ: the gradient, scaled, and the slopes of the penalties ½ λ₂ θ² and λ₁ |θ|; and
 * each moves κ θ rather than θ, κ being 1 but where weights decay by themselves. The order is that of {@code UpdateRule} in
 * {@code native/kernels.hpp}.
 */
public enum UpdateRule {
    /** θ ← κ θ − η g. */
    DESCENT(0),
    /** m ← β₁ m + g, θ ← κ θ − η m. */
    MOMENTUM(1),
    /** m ← β₁ m + g, θ ← κ θ − η (g + β₁ m). */
    NESTEROV(1),
    /** m ← β₂ m + (1 − β₂) g², θ ← κ θ − η g / (√m + ε). */
    RMSPROP(1),
    /** m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← κ θ − η m / (√v + ε). */
    ADAM(2);

    /** Where η, κ, s, λ₂, λ₁, β₁, β₂ and ε stand among the numbers of an update. */
    public static final int ETA = 0, KEEP = 1, SCALE = 2, L2 = 3, L1 = 4, BETA1 = 5, BETA2 = 6, EPSILON = 7;

    /** How many numbers an update takes. */
    public static final int NUMBERS = 8;

    /** Times this, whatever is not nearly 0 becomes 1 or more. */
    private static final float LARGE = 1e38f;

    private final int states;

    UpdateRule(int states) {
        this.states = states;
    }

    /** {@return how many arrays it remembers: 0, 1 (m) or 2 (m and v)} */
    public int states() {
        return states;
    }

    /**
     * All arrays are read at one index: C2 makes vectors of such a loop, and not where their offsets differ. Each rule has a
     * method of its own, or those that come into use late stay scalar (3.3 instead of 0.3 ns a parameter).
     */
    void apply(int from, int to, float[] theta, float[] gradient, float[] m, float[] v, float[] numbers, int at) {
        final float eta = numbers[at + ETA], keep = numbers[at + KEEP], s = numbers[at + SCALE], l2 = numbers[at + L2],
            l1 = numbers[at + L1], beta1 = numbers[at + BETA1], beta2 = numbers[at + BETA2], epsilon = numbers[at + EPSILON];
        switch (this) {
            case DESCENT -> descent(from, to, theta, gradient, eta, keep, s, l2, l1);
            case MOMENTUM -> momentum(from, to, theta, gradient, m, eta, keep, s, l2, l1, beta1);
            case NESTEROV -> nesterov(from, to, theta, gradient, m, eta, keep, s, l2, l1, beta1);
            case RMSPROP -> rmsProp(from, to, theta, gradient, m, eta, keep, s, l2, l1, beta2, epsilon);
            case ADAM -> adam(from, to, theta, gradient, m, v, eta, keep, s, l2, l1, beta1, beta2, epsilon);
        }
    }

    private static void descent(int from, int to, float[] theta, float[] gradient, float eta, float keep, float s, float l2,
                                float l1) {
        for (int i = from; i < to; i++) {
            final float t = theta[i], g = s * gradient[i] + l2 * t + l1 * sign(t);
            theta[i] = keep * t - eta * g;
        }
    }

    private static void momentum(int from, int to, float[] theta, float[] gradient, float[] m, float eta, float keep, float s,
                                 float l2, float l1, float beta1) {
        for (int i = from; i < to; i++) {
            final float t = theta[i], g = s * gradient[i] + l2 * t + l1 * sign(t), mi = beta1 * m[i] + g;
            m[i] = mi;
            theta[i] = keep * t - eta * mi;
        }
    }

    private static void nesterov(int from, int to, float[] theta, float[] gradient, float[] m, float eta, float keep, float s,
                                 float l2, float l1, float beta1) {
        for (int i = from; i < to; i++) {
            final float t = theta[i], g = s * gradient[i] + l2 * t + l1 * sign(t), mi = beta1 * m[i] + g;
            m[i] = mi;
            theta[i] = keep * t - eta * (g + beta1 * mi);
        }
    }

    private static void rmsProp(int from, int to, float[] theta, float[] gradient, float[] m, float eta, float keep, float s,
                                float l2, float l1, float beta2, float epsilon) {
        final float rest2 = 1 - beta2;
        for (int i = from; i < to; i++) {
            final float t = theta[i], g = s * gradient[i] + l2 * t + l1 * sign(t), mi = beta2 * m[i] + rest2 * (g * g);
            m[i] = mi;
            theta[i] = keep * t - eta * g / ((float) Math.sqrt(mi) + epsilon);
        }
    }

    private static void adam(int from, int to, float[] theta, float[] gradient, float[] m, float[] v, float eta, float keep,
                             float s, float l2, float l1, float beta1, float beta2, float epsilon) {
        final float rest1 = 1 - beta1, rest2 = 1 - beta2;
        for (int i = from; i < to; i++) {
            final float t = theta[i], g = s * gradient[i] + l2 * t + l1 * sign(t), mi = beta1 * m[i] + rest1 * g,
                vi = beta2 * v[i] + rest2 * (g * g);
            m[i] = mi;
            v[i] = vi;
            theta[i] = keep * t - eta * mi / ((float) Math.sqrt(vi) + epsilon);
        }
    }

    /** A sign that becomes a vector, as that of {@link Math} does not; between −1 and 1 for |t| &lt; 1e-38. */
    private static float sign(float t) {
        return Math.max(-1, Math.min(1, t * LARGE));
    }
}
