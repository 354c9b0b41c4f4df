package dev.backblas.cli;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares predictions with the truth; the memory it takes does not grow with the data. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Say how right a model is on data whose target is known.")
final class Evaluate implements Callable<Integer> {

    @Mixin
    private final ModelOptions options = new ModelOptions();

    @Parameters(index = "1", paramLabel = "DATA",
                description = "A CSV file with the target among its columns, - for standard input, a directory of IDX files (of "
                    + "which its t10k images count), digits or boston.")
    private String data;

    @Option(names = "--json", description = "One JSON object instead of text.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        final Model model = options.load();
        final Evaluation evaluation = model.evaluation();
        try (Source source = Source.open(data, model, true); Progress progress = Progress.samples("evaluate", -1)) {
            final int tile = model.tile(), truths = model.truths();
            final float[] x = new float[model.inputs() * tile], y = new float[truths * tile];
            final float[] out = new float[model.outputs() * tile];
            for (int m; (m = source.read(tile, x, y, null)) > 0; progress.to(evaluation.samples())) {
                for (int j = 0; j < m * truths; j++) requireClass(model, y[j], evaluation.samples() + j / truths);
                model.predictor().predict(x, m, out);
                evaluation.add(out, y, m);
            }
            source.warnOfUnseen();
        }
        if (evaluation.samples() == 0) throw new IOException(data + ": it has no row to judge by");
        if (json) {
            final Map<String, Object> object = new LinkedHashMap<>();
            object.put("model", options.file.toString());
            object.put("data", data);
            object.putAll(evaluation.figures());
            Json.print(object);
        } else System.out.print(evaluation.text());
        return 0;
    }

    /** Classes of images and of networks alone are numbers, which the model may not have; a label is there or not, 1 or 0. */
    private void requireClass(Model model, float y, long sample) throws IOException {
        final int most = model.isMultiLabel() ? 1 : model.labels().size() - 1;
        if (!model.labels().isEmpty() && !(y >= 0 && y <= most && y == Math.rint(y)))
            throw new IOException(data + ": the label of sample " + (sample + 1) + " is " + y + "; expected "
                + (model.isMultiLabel() ? "1 or 0" : "0 to " + most + ", a class of the model"));
    }
}
