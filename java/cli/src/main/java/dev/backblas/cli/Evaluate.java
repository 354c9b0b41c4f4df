package dev.backblas.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares predictions with the truth; the memory it takes does not grow with the data. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Say how right a model is on data whose target is known.")
final class Evaluate implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train wrote.")
    private Path file;

    @Parameters(index = "1", paramLabel = "DATA",
                description = "A CSV file with the target among its columns, - for standard input, a directory of IDX files (of "
                    + "which its t10k images count), digits or boston.")
    private String data;

    @Option(names = "--json", description = "One JSON object instead of text.")
    private boolean json;

    @Option(names = "--backend", paramLabel = "NAME", description = "openblas, java, or auto for the faster one that is there.")
    private @Nullable String backend;

    @Override
    public Integer call() throws IOException {
        final Model model = Model.load(file, backend);
        final Evaluation evaluation = model.evaluation();
        try (Source source = Source.open(data, model, true); Progress progress = Progress.samples("evaluate", -1)) {
            final int tile = model.tile();
            final float[] x = new float[model.inputs() * tile], y = new float[tile], out = new float[model.outputs() * tile];
            for (int m; (m = source.read(tile, x, y, null)) > 0; progress.to(evaluation.samples())) {
                for (int j = 0; j < m; j++) requireClass(model, y[j], evaluation.samples() + j);
                model.predictor().predict(x, m, out);
                evaluation.add(out, y, m);
            }
            source.warnOfUnseen();
        }
        if (evaluation.samples() == 0) throw new IOException(data + ": it has no row to judge by");
        if (json) {
            final Map<String, Object> object = new LinkedHashMap<>();
            object.put("model", file.toString());
            object.put("data", data);
            object.putAll(evaluation.figures());
            Json.print(object);
        } else System.out.print(evaluation.text());
        return 0;
    }

    /** Labels of images and of networks alone are numbers, which the model may not have. */
    private void requireClass(Model model, float y, long sample) throws IOException {
        if (!model.labels().isEmpty() && !(y >= 0 && y < model.labels().size() && y == Math.rint(y)))
            throw new IOException(data + ": the label of sample " + (sample + 1) + " is " + y + "; expected 0 to "
                + (model.labels().size() - 1) + ", a class of the model");
    }
}
