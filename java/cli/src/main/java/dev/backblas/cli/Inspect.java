package dev.backblas.cli;

import dev.backblas.Layer;
import dev.backblas.Network;
import dev.backblas.TableEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what is in a model file. */
@Command(name = "inspect", mixinStandardHelpOptions = true,
         description = "Say what a model takes, what it predicts, and what its layers look like.")
final class Inspect implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train wrote, or any safetensors file.")
    private Path file;

    @Option(names = "--json", description = "One JSON object instead of text.")
    private boolean json;

    /** How the weights of a layer are spread. */
    private record Spread(double mean, double deviation, double least, double most) {

        static Spread of(float[] values, int from, int to) {
            double sum = 0, squares = 0, least = Double.POSITIVE_INFINITY, most = Double.NEGATIVE_INFINITY;
            for (int i = from; i < to; i++) {
                sum += values[i];
                least = Math.min(least, values[i]);
                most = Math.max(most, values[i]);
            }
            final double mean = sum / (to - from);
            for (int i = from; i < to; i++) squares += Math.pow(values[i] - mean, 2);
            return new Spread(mean, Math.sqrt(squares / (to - from)), least, most);
        }
    }

    @Override
    public Integer call() throws IOException {
        final ModelHeader header = ModelHeader.read(file);
        final Map<String, Object> object = new LinkedHashMap<>();
        object.put("file", file.toString());
        object.put("bytes", Files.size(file));
        if (header.isOurs()) ours(Model.load(file, "java"), header, object);
        else others(header, object);
        if (json) Json.print(object);
        return 0;
    }

    private void ours(Model model, ModelHeader header, Map<String, Object> object) {
        final Network network = model.network();
        final TableEncoder encoder = model.encoder();
        object.put("kind", model.kind());
        object.put("network", network.toString());
        object.put("parameters", network.parameters().length);
        object.put("inputs", model.inputs());
        object.put("targets", model.targets());
        if (!model.labels().isEmpty()) object.put("labels", model.labels());
        final List<Map<String, Object>> columns = new ArrayList<>();
        if (encoder != null)
            for (TableEncoder.Column column : encoder.columns()) {
                final Map<String, Object> of = new LinkedHashMap<>();
                of.put("name", column.name());
                if (column.isText()) of.put("categories", column.categories());
                columns.add(of);
            }
        if (encoder != null) object.put("columns", columns);
        final List<Map<String, Object>> layers = new ArrayList<>();
        for (int l = 1; l <= network.depth(); l++) {
            final Layer layer = network.layer(l);
            final Spread w = Spread.of(network.parameters(), network.weightsOffset(l), network.biasesOffset(l));
            final Map<String, Object> of = new LinkedHashMap<>();
            of.put("in", layer.in());
            of.put("out", layer.out());
            of.put("activation", layer.activation().name().toLowerCase(Locale.ROOT));
            of.put("weights", Map.of("mean", w.mean, "deviation", w.deviation, "min", w.least, "max", w.most));
            layers.add(of);
            if (l == 1 && !json) head(model, header, encoder);
            if (!json)
                System.out.printf("layer %-3d %d to %d, %s; weights %.4f ± %.4f, from %.3f to %.3f%n", l, layer.in(), layer.out(),
                                  of.get("activation"), w.mean, w.deviation, w.least, w.most);
        }
        object.put("layers", layers);
    }

    private void head(Model model, ModelHeader header, TableEncoder encoder) {
        System.out.printf("model     %s, %,d parameters%n", model.kind(), model.network().parameters().length);
        System.out.printf("network   %s%n", model.network());
        System.out.printf("predicts  %s%n", model.isMultiLabel() ? "any of " + some(model.labels())
            : some(model.targets()) + (model.labels().isEmpty() ? "" : ": " + some(model.labels())));
        if (encoder != null)
            System.out.printf("from      %s%n", some(encoder.columns().stream()
                .map(column -> column.name() + (column.isText() ? " (" + some(column.categories()) + ")" : "")).toList()));
        else System.out.printf("from      %,d numbers%n", model.inputs());
        System.out.printf("scaling   %s%n", header.metadata().containsKey("inputs.mean") ? "inputs standardised"
            + (header.metadata().containsKey("targets.mean") ? ", targets too" : "") : "none: it takes the numbers as they are");
    }

    private void others(ModelHeader header, Map<String, Object> object) {
        object.put("kind", "other");
        object.put("metadata", header.metadata());
        object.put("tensors", header.tensors());
        if (json) return;
        System.out.printf("model     not one of ours: %d tensors%n", header.tensors().size());
        header.metadata().forEach((name, value) -> System.out.printf("%-9s %s%n", name, value));
        header.tensors().forEach(
            tensor -> System.out.printf("tensor    %s %s %s%n", tensor.name(), tensor.type(), tensor.shape()));
    }

    private static String some(List<String> names) {
        final int most = 12;
        return String.join(", ", names.subList(0, Math.min(most, names.size())))
            + (names.size() > most ? ", … (" + names.size() + " in all)" : "");
    }
}
