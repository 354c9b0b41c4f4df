package dev.backblas.cli;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import de.siegmar.fastcsv.writer.QuoteStrategies;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Predicts row after row; the memory it takes does not grow with the data. */
@Command(name = "predict", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Predict with a model: a line of CSV for each row of the data.")
final class Predict implements Callable<Integer> {

    /** The exit code of a program that SIGPIPE ended, as the shell shows it. */
    private static final int CLOSED_PIPE = 141;

    /** Nobody reads the predictions any more. */
    private static final class ClosedPipe extends IOException {
        private static final long serialVersionUID = 1;
    }

    @Mixin
    private final ModelOptions options = new ModelOptions();

    @Parameters(index = "1", paramLabel = "DATA",
                description = "A CSV file with the columns of the training data, in any order, gzipped or not; - for standard "
                    + "input; IDX images; digits or boston.")
    private String data;

    @Option(names = "--out", paramLabel = "FILE", description = "Where to write; standard output unless set.")
    private @Nullable Path out;

    @Option(names = "--proba", description = "The probability of every class too.")
    private boolean probabilities;

    @Option(names = "--keep", description = "Repeat the columns of the data before the prediction.")
    private boolean keep;

    @Option(names = "--json", description = "A JSON object for each row instead of CSV.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        final Model model = options.load();
        if (probabilities && model.labels().isEmpty())
            throw new IllegalArgumentException("predict: --proba is for classes, but " + options.file + " predicts "
                + String.join(", ", model.targets()));
        if (out != null) Destination.requireOther(out, data, options.file.toString());
        final long start = System.nanoTime();
        final long rows;
        try (Source source = Source.open(data, model, false)) {
            if (out == null) rows = predict(model, source, stdout());
            else {
                final long[] written = new long[1];
                Destination.write(Destination.of(out, "the predictions"), part -> {
                    try (Writer writer = Files.newBufferedWriter(part)) {
                        written[0] = predict(model, source, writer);
                    }
                });
                rows = written[0];
            }
            source.warnOfUnseen();
        } catch (ClosedPipe e) {
            return CLOSED_PIPE; // as quietly as other programs end there
        }
        if (out != null)
            System.err.printf("wrote %s: %,d predictions in %.1f s%n", out, rows, (System.nanoTime() - start) / 1e9);
        return 0;
    }

    /** Standard output, which says when it can be written no longer: a PrintStream keeps that, and the cause, to itself. */
    private static Writer stdout() {
        final PrintStream stdout = System.out;
        return new OutputStreamWriter(stdout, StandardCharsets.UTF_8) {
            @Override
            public void flush() throws IOException {
                super.flush();
                if (!stdout.checkError()) return;
                try (OutputStream out = new FileOutputStream(FileDescriptor.out)) {
                    out.write('\n');
                } catch (IOException e) {
                    if (!e.getMessage().contains("Broken pipe"))
                        throw new IOException("predict: standard output cannot be written: " + e.getMessage(), e);
                }
                throw new ClosedPipe();
            }

            @Override
            public void close() throws IOException {
                flush();
            }
        };
    }

    private long predict(Model model, Source source, Writer writer) throws IOException {
        final int tile = model.tile(), outputs = model.outputs();
        final float[] x = new float[model.inputs() * tile], predicted = new float[outputs * tile];
        final List<List<String>> fields = new ArrayList<>();
        final List<String> header = new ArrayList<>(keep ? source.header() : List.of());
        final List<String> names = names(model);
        header.addAll(names);
        long rows = 0;
        try (Progress progress = out == null ? Progress.none() : Progress.samples("predict", -1)) {
            final CsvWriter csv = CsvWriter.builder().lineDelimiter(LineDelimiter.LF)
                .quoteStrategy(model.isMultiLabel() ? QuoteStrategies.EMPTY : QuoteStrategies.REQUIRED) // no label, no empty line
                .build(writer);
            if (!json) csv.writeRecord(header);
            for (int m; (m = source.read(tile, x, null, keep ? fields : null)) > 0; fields.clear()) {
                model.predictor().predict(x, m, predicted);
                for (int j = 0; j < m; j++) {
                    final List<String> kept = keep ? fields.get(j) : List.of();
                    if (json) writer.write(Json.line(object(model, source.header(), kept, predicted, j * outputs)) + "\n");
                    else {
                        final List<String> record = new ArrayList<>(kept);
                        record(model, predicted, j * outputs, record);
                        csv.writeRecord(record);
                    }
                }
                csv.flush();
                progress.to(rows += m);
            }
            csv.flush();
        }
        return rows;
    }

    private List<String> names(Model model) {
        final List<String> names = new ArrayList<>();
        if (model.labels().isEmpty()) names.addAll(model.targets().size() == 1 ? List.of("prediction") : model.targets());
        else {
            names.add("prediction");
            if (!model.isMultiLabel()) names.add("probability");
            if (probabilities) model.labels().forEach(label -> names.add("p(" + label + ")"));
        }
        return names;
    }

    private void record(Model model, float[] predicted, int offset, List<String> record) {
        if (model.labels().isEmpty())
            for (int k = 0; k < model.outputs(); k++) record.add(Float.toString(predicted[offset + k]));
        else {
            record.add(String.join(" ", chosen(model, predicted, offset)));
            if (!model.isMultiLabel()) record.add(Float.toString(predicted[offset + largest(model, predicted, offset)]));
            if (probabilities) for (int k = 0; k < model.outputs(); k++) record.add(Float.toString(predicted[offset + k]));
        }
    }

    private Map<String, Object> object(Model model, List<String> header, List<String> kept, float[] predicted, int offset) {
        final Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < kept.size(); i++) object.put(header.get(i), kept.get(i));
        if (model.labels().isEmpty()) {
            final List<String> names = names(model);
            for (int k = 0; k < model.outputs(); k++) Json.put(object, names.get(k), predicted[offset + k]);
            return object;
        }
        final List<String> chosen = chosen(model, predicted, offset);
        object.put("prediction", model.isMultiLabel() ? chosen : chosen.get(0));
        if (!model.isMultiLabel()) object.put("probability", predicted[offset + largest(model, predicted, offset)]);
        if (probabilities) {
            final Map<String, Object> p = new LinkedHashMap<>();
            for (int k = 0; k < model.outputs(); k++) p.put(model.labels().get(k), predicted[offset + k]);
            object.put("probabilities", p);
        }
        return object;
    }

    /** The likeliest label; all that are as likely as not where there may be several. */
    private static List<String> chosen(Model model, float[] p, int offset) {
        if (!model.isMultiLabel()) return List.of(model.labels().get(largest(model, p, offset)));
        final List<String> chosen = new ArrayList<>();
        for (int k = 0; k < model.outputs(); k++) if (p[offset + k] >= 0.5f) chosen.add(model.labels().get(k));
        return chosen;
    }

    private static int largest(Model model, float[] p, int offset) {
        int best = 0;
        for (int k = 1; k < model.outputs(); k++) if (p[offset + k] > p[offset + best]) best = k;
        return best;
    }
}
