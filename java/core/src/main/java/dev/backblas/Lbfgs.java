package dev.backblas;

import java.util.Arrays;

/**
 * L-BFGS: D. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989, as in J. Nocedal and S.
 * Wright, "Numerical Optimization", 2nd edition, 2006, algorithms 7.4 and 7.5, with the line search of algorithms 3.5 and 3.6 for
 * the strong Wolfe conditions. Products are summed in double precision.
 */
final class Lbfgs {

    /** J at the parameters as they are; its gradient is written. */
    @FunctionalInterface
    interface Objective {
        double evaluate(float[] gradient);
    }

    private static final double DECREASE = 1e-4, CURVATURE = 0.9; // c₁ and c₂ of the Wolfe conditions
    private static final int TRIALS = 20;

    private final float[] theta; // θ, the network's own
    private final float[][] s, y; // the latest steps and what they changed of the gradient, oldest first; 0 where none is yet
    private final double[] alpha;
    private final float[] start; // θ before the step
    private final float[] before; // the gradient there
    private final float[] gradient;
    private final float[] p; // the direction
    private double slope; // gradientᵀ p
    private double length; // of the latest step, times p

    /** Of parameters that lie in {@code theta}, with the memory of so many pairs. */
    Lbfgs(float[] theta, int memory) {
        this.theta = theta;
        s = new float[memory][theta.length];
        y = new float[memory][theta.length];
        alpha = new double[memory];
        start = new float[theta.length];
        before = new float[theta.length];
        gradient = new float[theta.length];
        p = new float[theta.length];
    }

    /** What it remembers, for a checkpoint. */
    float[][] memories() {
        final float[][] all = Arrays.copyOf(s, s.length + y.length);
        System.arraycopy(y, 0, all, s.length, y.length);
        return all;
    }

    /** The length of the latest step, in directions; 0 if none makes J smaller. */
    double length() {
        return length;
    }

    /** One iteration: θ moves to where J is smaller, or stays where single precision knows no such place. */
    void step(Objective objective) {
        final double value = objective.evaluate(before);
        if (!Double.isFinite(value)) return; // the caller sees it, too
        System.arraycopy(theta, 0, start, 0, theta.length);
        final boolean informed = direct();
        double initial = informed ? 1 : Math.min(1, 1 / Math.sqrt(dot(before, before)));
        length = search(objective, value, initial);
        if (length == 0 && informed) { // the memory misleads: begin anew, downhill
            for (int k = 0; k < s.length; k++) {
                Arrays.fill(s[k], 0);
                Arrays.fill(y[k], 0);
            }
            direct();
            initial = Math.min(1, 1 / Math.sqrt(dot(before, before)));
            length = search(objective, value, initial);
        }
        if (length == 0) {
            System.arraycopy(start, 0, theta, 0, theta.length);
            return;
        }
        final float[] newS = s[0], newY = y[0];
        System.arraycopy(s, 1, s, 0, s.length - 1);
        System.arraycopy(y, 1, y, 0, y.length - 1);
        s[s.length - 1] = newS;
        y[y.length - 1] = newY;
        for (int i = 0; i < theta.length; i++) {
            newS[i] = theta[i] - start[i];
            newY[i] = gradient[i] - before[i];
        }
        if (!(dot(newS, newY) > 0)) Arrays.fill(newY, 0); // as if it were not there
    }

    /** p ← −H g by the two loops of algorithm 7.4. Returns whether there was a pair to go by. */
    private boolean direct() {
        for (int i = 0; i < p.length; i++) p[i] = -before[i];
        double scale = 0;
        for (int k = s.length - 1; k >= 0; k--) {
            final double sy = dot(s[k], y[k]);
            if (!(sy > 0)) continue;
            if (scale == 0) scale = sy / dot(y[k], y[k]); // (7.20)
            alpha[k] = dot(s[k], p) / sy;
            add(-alpha[k], y[k]);
        }
        if (scale == 0) return false;
        for (int i = 0; i < p.length; i++) p[i] *= (float) scale;
        for (int k = 0; k < s.length; k++) {
            final double sy = dot(s[k], y[k]);
            if (sy > 0) add(alpha[k] - dot(y[k], p) / sy, s[k]);
        }
        return true;
    }

    /** φ(a) = J(start + a p); θ and its gradient are left there, and φ' in {@link #slope}. */
    private double move(Objective objective, double a) {
        for (int i = 0; i < theta.length; i++) theta[i] = (float) (start[i] + a * p[i]);
        final double value = objective.evaluate(gradient);
        slope = dot(gradient, p);
        return Double.isNaN(value) || Double.isNaN(slope) ? Double.POSITIVE_INFINITY : value;
    }

    /** Algorithm 3.5. Returns the step that was taken, or 0. */
    private double search(Objective objective, double value, double initial) {
        final double slope0 = dot(before, p);
        if (!(slope0 < 0)) return 0;
        double last = 0, lastValue = value, lastSlope = slope0, a = initial;
        for (int trial = 0; trial < TRIALS; trial++) {
            final double now = move(objective, a);
            if (now > value + DECREASE * a * slope0 || trial > 0 && now >= lastValue)
                return zoom(objective, value, slope0, last, lastValue, lastSlope, a, now);
            if (Math.abs(slope) <= -CURVATURE * slope0) return a;
            if (slope >= 0) return zoom(objective, value, slope0, a, now, slope, last, lastValue);
            last = a;
            lastValue = now;
            lastSlope = slope;
            a *= 2;
        }
        return last; // θ is there: it fell all the way
    }

    /** Algorithm 3.6: between {@code low}, which has the smallest J of those that fell enough, and {@code high}. */
    private double zoom(Objective objective, double value, double slope0, double low, double lowValue, double lowSlope,
                        double high, double highValue) {
        for (int trial = 0; trial < TRIALS; trial++) {
            final double width = high - low;
            double share = -lowSlope * width / (2 * (highValue - lowValue - lowSlope * width)); // the least of a parabola
            if (!(share > 0.1 && share < 0.9)) share = share > 0.5 ? 0.9 : share > 0 ? 0.1 : 0.5;
            final double a = low + share * width, now = move(objective, a);
            if (now > value + DECREASE * a * slope0 || now >= lowValue) {
                high = a;
                highValue = now;
                continue;
            }
            if (Math.abs(slope) <= -CURVATURE * slope0) return a;
            if (slope * width >= 0) {
                high = low;
                highValue = lowValue;
            }
            low = a;
            lowValue = now;
            lowSlope = slope;
        }
        if (low > 0) move(objective, low); // not steep enough a change of slope, but lower
        return low;
    }

    private void add(double factor, float[] x) {
        for (int i = 0; i < p.length; i++) p[i] += (float) (factor * x[i]);
    }

    private static double dot(float[] x, float[] y) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i < x.length - 3; i += 4) { // four sums, which the processor adds side by side
            s0 += (double) x[i] * y[i];
            s1 += (double) x[i + 1] * y[i + 1];
            s2 += (double) x[i + 2] * y[i + 2];
            s3 += (double) x[i + 3] * y[i + 3];
        }
        for (; i < x.length; i++) s0 += (double) x[i] * y[i];
        return s0 + s1 + (s2 + s3);
    }
}
