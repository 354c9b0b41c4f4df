package dev.backblas.backend;

/** φ and φ' in double precision, both of z: what the tests hold every backend to. */
public final class Phi {

    private Phi() {}

    /** φ(z) of one value; not softmax. */
    public static double of(Activation activation, double z) {
        return switch (activation) {
            case IDENTITY -> z;
            case SIGMOID -> 1 / (1 + Math.exp(-z));
            case TANH -> Math.tanh(z);
            case RELU -> Math.max(0, z);
            case LEAKY_RELU -> z > 0 ? z : Activation.LEAKY_SLOPE * z;
            case GELU -> z * normal(z);
            case SILU -> z / (1 + Math.exp(-z));
            case ELU -> z > 0 ? z : Math.expm1(z);
            case SOFTPLUS -> Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
            case SOFTMAX -> throw new IllegalArgumentException("softmax is no function of one value");
        };
    }

    /** φ'(z). */
    public static double slope(Activation activation, double z) {
        return switch (activation) {
            case IDENTITY -> 1;
            case SIGMOID -> Math.exp(-Math.abs(z)) / Math.pow(1 + Math.exp(-Math.abs(z)), 2); // eᶻ / (1 + 2eᶻ + e²ᶻ), notes 000
            case TANH -> 1 / Math.pow(Math.cosh(z), 2);
            case RELU -> z > 0 ? 1 : 0;
            case LEAKY_RELU -> z > 0 ? 1 : Activation.LEAKY_SLOPE;
            case GELU -> normal(z) + z * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
            case SILU -> of(Activation.SIGMOID, z) + z * slope(Activation.SIGMOID, z);
            case ELU -> z > 0 ? 1 : Math.exp(z);
            case SOFTPLUS -> of(Activation.SIGMOID, z);
            case SOFTMAX -> throw new IllegalArgumentException("softmax is no function of one value");
        };
    }

    /** φ' of what {@link Backend#inputGradient} is given: A, or Z where φ keeps it. */
    static double kept(Activation phi, double a) {
        if (phi.keepsZ()) return slope(phi, a);
        return switch (phi) {
            case SIGMOID -> a * (1 - a);
            case TANH -> 1 - a * a;
            case RELU -> a > 0 ? 1 : 0;
            case LEAKY_RELU -> a > 0 ? 1 : Activation.LEAKY_SLOPE;
            case ELU -> a > 0 ? 1 : a + 1;
            case SOFTPLUS -> -Math.expm1(-a);
            default -> 1; // the identity
        };
    }

    /** Φ(z): a series up to |z| = 4, a continued fraction beyond (Abramowitz and Stegun, 26.2.11 and 26.2.14). */
    private static double normal(double z) {
        final double x = Math.abs(z), density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
        if (x < 4) {
            double term = x, sum = x;
            for (int k = 3; k < 200; k += 2) sum += term *= x * x / k;
            return 0.5 + Math.signum(z) * density * sum;
        }
        double fraction = x;
        for (int k = 100; k >= 1; k--) fraction = x + k / fraction;
        return z > 0 ? 1 - density / fraction : density / fraction;
    }
}
