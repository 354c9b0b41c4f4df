package dev.backblas;

/**
 * How the rate changes while a network is trained: in each step it is the trainer's η times {@link #factor}, as of
 * {@code Schedule.cosine(100, 0.01).warmUp(5)}. One's own is a lambda; it must depend on its arguments alone, so that training
 * resumes where it stopped.
 */
@FunctionalInterface
public interface Schedule {

    /**
     * {@return what η is multiplied by, finite and above 0}
     *
     * @param epochs  the epochs done so far, the one at hand by its share: 2.25 a quarter through the third
     * @param history what came of them
     */
    double factor(double epochs, History history);

    /** {@return η, always} */
    static Schedule constant() {
        return (epochs, history) -> 1;
    }

    /**
     * η falls by a factor at a time.
     *
     * @param every k, the epochs from one step to the next; above 0
     * @param gamma γ, in (0, 1]
     * @return η γ^⌊e/k⌋ after e epochs
     * @throws IllegalArgumentException if one is out of range
     */
    static Schedule step(double every, double gamma) {
        positive("step", "every", every);
        share("step", "gamma", gamma);
        return (epochs, history) -> Math.pow(gamma, Math.floor(epochs / every));
    }

    /**
     * {@return η / (1 + k e) after e epochs} L. Bottou, "Stochastic Gradient Descent Tricks", 2012, §5.2.
     *
     * @param k how fast it falls; above 0
     * @throws IllegalArgumentException if it is out of range
     */
    static Schedule inverse(double k) {
        positive("inverse", "k", k);
        return (epochs, history) -> 1 / (1 + k * epochs);
    }

    /**
     * {@return from η to a share of it along half a cosine, and there it stays} I. Loshchilov and F. Hutter, "SGDR: Stochastic
     * Gradient Descent with Warm Restarts", 2017, without the restarts.
     *
     * @param epochs when the least is reached; above 0
     * @param least  the share of η that it ends with; in (0, 1]
     * @throws IllegalArgumentException if one is out of range
     */
    static Schedule cosine(double epochs, double least) {
        positive("cosine", "epochs", epochs);
        share("cosine", "least", least);
        return (now, history) -> least + (1 - least) * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, now / epochs)));
    }

    /**
     * {@return η that falls by a factor whenever the loss (on the validation samples, if there are any) has not become smaller
     * for some epochs}
     *
     * @param patience the epochs in a row without a new smallest loss; 1 or more
     * @param gamma    the factor; in (0, 1]
     * @throws IllegalArgumentException if one is out of range
     */
    static Schedule plateau(int patience, double gamma) {
        if (patience < 1)
            throw new IllegalArgumentException("schedule: the patience of plateau is " + patience + "; expected 1 or more");
        share("plateau", "gamma", gamma);
        return (epochs, history) -> {
            double least = Double.POSITIVE_INFINITY, factor = 1;
            int waited = 0;
            for (int i = 0; i < history.size(); i++) {
                final double loss = history.get(i).monitored();
                if (loss < least) {
                    least = loss;
                    waited = 0;
                } else if (++waited == patience) {
                    factor *= gamma;
                    waited = 0;
                }
            }
            return factor;
        };
    }

    /**
     * {@return this schedule, begun with a rate that rises evenly over the first epochs} P. Goyal et al., "Accurate, Large
     * Minibatch SGD", 2017, §2.2. Its own time runs on meanwhile.
     *
     * @param epochs how long; above 0
     * @throws IllegalArgumentException if it is out of range
     */
    default Schedule warmUp(double epochs) {
        positive("warmUp", "epochs", epochs);
        // From a hundredth on, as a step of rate 0 would be none
        return (now, history) -> factor(now, history) * Math.min(1, 0.01 + 0.99 * now / epochs);
    }

    private static void positive(String schedule, String name, double value) {
        if (!(value > 0) || Double.isInfinite(value))
            throw new IllegalArgumentException(
                "schedule: " + name + " of " + schedule + " is " + value + "; expected a finite number above 0");
    }

    private static void share(String schedule, String name, double value) {
        if (!(value > 0 && value <= 1))
            throw new IllegalArgumentException(
                "schedule: " + name + " of " + schedule + " is " + value + "; expected a number in (0, 1]");
    }
}
