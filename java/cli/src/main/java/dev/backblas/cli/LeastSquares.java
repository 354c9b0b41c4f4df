package dev.backblas.cli;

import dev.backblas.Dataset;
import org.apache.commons.math3.exception.MathIllegalArgumentException;
import org.apache.commons.math3.stat.regression.OLSMultipleLinearRegression;

/** Ordinary least squares: what a network has to beat in regression. */
final class LeastSquares {

    /** Beyond it a decomposition takes longer than training. */
    private static final int MOST_VALUES = 1_000_000;

    private LeastSquares() {}

    /**
     * The root mean squared error on the held-out samples of what fits the others; NaN where columns depend on each other, for
     * large data, and where no single quantity is to be learned.
     */
    static double rootMeanSquaredError(Task task) {
        final Dataset train = task.train(), heldOut = task.heldOut();
        if (!task.isRegression() || task.targets().size() > 1 || train == null
            || (long) train.size() * train.inputs() > MOST_VALUES)
            return Double.NaN;
        final double[] beta;
        try {
            final OLSMultipleLinearRegression regression = new OLSMultipleLinearRegression();
            final double[][] x = new double[train.size()][train.inputs()];
            final double[] y = new double[train.size()];
            read(train, x, y);
            regression.newSampleData(y, x);
            beta = regression.estimateRegressionParameters();
        } catch (MathIllegalArgumentException e) {
            return Double.NaN;
        }
        final double[][] x = new double[heldOut.size()][heldOut.inputs()];
        final double[] y = new double[heldOut.size()];
        read(heldOut, x, y);
        double sum = 0;
        for (int j = 0; j < y.length; j++) {
            double predicted = beta[0];
            for (int i = 0; i < x[j].length; i++) predicted += beta[i + 1] * x[j][i];
            sum += (predicted - y[j]) * (predicted - y[j]);
        }
        return Math.sqrt(sum / y.length);
    }

    private static void read(Dataset data, double[][] x, double[] y) {
        final float[] row = new float[data.inputs()], target = new float[1];
        for (int j = 0; j < y.length; j++) {
            data.copy(j, row, 0, target, 0);
            for (int i = 0; i < row.length; i++) x[j][i] = row[i];
            y[j] = target[0];
        }
    }
}
