package dev.backblas;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A network, or the model of an estimator, as a safetensors file with tensors {@code 0.weight}, {@code 0.bias}, and so on. Our
 * W is in × out, column-major: the same bytes as the row-major out × in of PyTorch's {@code nn.Linear}.
 *
 * <p>The metadata, texts all of them, of which those with [] hold JSON:
 * <pre>
 * format, version           backblas, 1
 * activations               of the layers, such as relu,softmax
 * estimator                 classifier, multilabel-classifier or regressor; absent for a bare network
 * inputs.mean []            of each column, what is subtracted from the inputs …
 * inputs.deviation []       … and what they are then divided by; 0 for a column that becomes 0. Both absent: as they are
 * targets.mean [], targets.deviation []     likewise, of the targets
 * labels []                 of the classes, in order
 * labels.type               String, Integer, Long, Short, Byte, Character, Double, Float or Boolean
 * table []                  how a row of a table becomes a sample: columns, targets, weight
 * </pre>
 */
final class ModelFile {

    private static final String FORMAT = "backblas";
    private static final String VERSION = "1";
    private static final String CLASSIFIER = "classifier", MULTI_LABEL = "multilabel-classifier", REGRESSOR = "regressor";

    private ModelFile() {}

    // ---- Writing

    static void save(Network network, Path file) throws IOException {
        Safetensors.write(file, metadata(network), tensors(network));
    }

    static void save(Model model, boolean classifier, Path file) throws IOException {
        final Map<String, String> metadata = metadata(model.network());
        metadata.put("estimator", classifier ? model.multiLabel() ? MULTI_LABEL : CLASSIFIER : REGRESSOR);
        put(metadata, "inputs", model.inputs());
        put(metadata, "targets", model.targets());
        if (classifier) {
            metadata.put("labels", array(model.labels(), ModelFile::element).toString());
            metadata.put("labels.type", LabelType.of(model.labels()).name());
        }
        if (model.encoder() != null) metadata.put("table", table(model.encoder()).toString());
        Safetensors.write(file, metadata, tensors(model.network()));
    }

    private static Map<String, String> metadata(Network network) {
        final List<String> activations = new ArrayList<>();
        for (int l = 1; l <= network.depth(); l++)
            activations.add(network.layer(l).activation().name().toLowerCase(Locale.ROOT));
        final Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format", FORMAT);
        metadata.put("version", VERSION);
        metadata.put("activations", String.join(",", activations));
        return metadata;
    }

    private static List<Safetensors.Tensor> tensors(Network network) {
        final List<Safetensors.Tensor> tensors = new ArrayList<>();
        for (int l = 1; l <= network.depth(); l++) {
            final Layer layer = network.layer(l);
            tensors.add(new Safetensors.Tensor(
                (l - 1) + ".weight", network.parameters(), network.weightsOffset(l), layer.out(), layer.in()));
            tensors.add(new Safetensors.Tensor((l - 1) + ".bias", network.parameters(), network.biasesOffset(l), layer.out()));
        }
        return tensors;
    }

    private static void put(Map<String, String> metadata, String name, @Nullable Scaler scaler) {
        if (scaler == null) return;
        final JsonArray mean = new JsonArray(), deviation = new JsonArray();
        for (float value : scaler.mean()) mean.add(value);
        for (float value : scaler.deviation()) deviation.add(Float.isInfinite(value) ? 0 : value); // JSON has no infinity
        metadata.put(name + ".mean", mean.toString());
        metadata.put(name + ".deviation", deviation.toString());
    }

    private static <T> JsonArray array(List<T> values, Function<T, JsonElement> element) {
        final JsonArray array = new JsonArray();
        values.forEach(value -> array.add(element.apply(value)));
        return array;
    }

    private static JsonElement element(Object label) {
        return label instanceof Boolean b ? new JsonPrimitive(b)
            : label instanceof Number n ? new JsonPrimitive(n)
            : new JsonPrimitive(label instanceof Enum<?> e ? e.name() : label.toString());
    }

    private static JsonObject table(TableEncoder encoder) {
        final JsonObject table = new JsonObject();
        table.add("columns", array(encoder.columns(), ModelFile::column));
        table.add("targets", array(encoder.targets(), ModelFile::column));
        if (encoder.weight() != null) table.addProperty("weight", encoder.weight());
        return table;
    }

    private static JsonElement column(TableEncoder.Column column) {
        final JsonObject json = new JsonObject();
        json.addProperty("name", column.name());
        if (column.isText()) json.add("categories", array(column.categories(), JsonPrimitive::new));
        return json;
    }

    /** The types of labels that a file can hold; constants of an enumeration go by their names. */
    private enum LabelType {
        String(JsonElement::getAsString),
        Integer(JsonElement::getAsInt),
        Long(JsonElement::getAsLong),
        Short(JsonElement::getAsShort),
        Byte(JsonElement::getAsByte),
        Character(json -> json.getAsString().charAt(0)),
        Double(JsonElement::getAsDouble),
        Float(JsonElement::getAsFloat),
        Boolean(JsonElement::getAsBoolean);

        private final Function<JsonElement, Object> read;

        LabelType(Function<JsonElement, Object> read) {
            this.read = read;
        }

        /** @throws IllegalStateException if the labels are of a type that a file cannot hold, or of several */
        static LabelType of(List<Object> labels) {
            LabelType common = null;
            for (Object label : labels) {
                final String name = label instanceof Enum ? "String" : label.getClass().getSimpleName();
                final LabelType type = byName(name);
                if (type == null || !label.getClass().getName().startsWith("java.lang.") && !(label instanceof Enum))
                    throw new IllegalStateException(
                        "save: the label '" + label + "' is a " + label.getClass().getName()
                            + "; expected a String, a number, a Boolean, a Character or an enum constant");
                if (common != null && common != type)
                    throw new IllegalStateException(
                        "save: the labels are of the types " + common + " and " + type + "; expected one");
                common = type;
            }
            return common == null ? String : common;
        }

        static @Nullable LabelType byName(java.lang.String name) {
            for (LabelType type : values()) if (type.name().equals(name)) return type;
            return null;
        }
    }

    // ---- Reading

    @FunctionalInterface
    interface Reading<T> {
        T from(Safetensors file) throws IOException;
    }

    /** What goes wrong while reading names the file. */
    static <T> T read(Path file, Reading<T> reading) throws IOException {
        try (Safetensors in = new Safetensors(file)) {
            return reading.from(in);
        } catch (IOException | IllegalStateException | IllegalArgumentException | UnsupportedOperationException
                 | JsonParseException | ClassCastException e) { // the latter four: JSON of another kind than expected
            throw new IOException(file + ": is not a model that can be read: " + AtomicFile.reason(e), e);
        }
    }

    static Network load(Path file, Backend backend) throws IOException {
        return read(file, in -> network(in, backend));
    }

    private static Network network(Safetensors in, Backend backend) throws IOException {
        final List<Layer> layers = layers(in);
        // Before memory is taken for what a header may claim
        in.requireFloats(layers.stream().mapToLong(layer -> (long) layer.weights() + layer.out()).sum());
        final Network network = new Network(layers, backend);
        for (int l = 1; l <= network.depth(); l++) {
            final Layer layer = network.layer(l);
            in.read((l - 1) + ".weight", network.weights(l), layer.out(), layer.in());
            in.read((l - 1) + ".bias", network.biases(l), layer.out());
        }
        network.requireFinite("load");
        return network;
    }

    private static List<Layer> layers(Safetensors in) throws IOException {
        final JsonObject metadata = in.metadata();
        if (!metadata.has("format") || !FORMAT.equals(Safetensors.text(metadata, "format")))
            throw new IOException("its metadata do not say format \"" + FORMAT + "\"; it was written by something else");
        if (!VERSION.equals(Safetensors.text(metadata, "version")))
            throw new IOException("its version is " + Safetensors.text(metadata, "version") + "; this release reads version "
                + VERSION);
        final List<Layer> layers = new ArrayList<>();
        for (String name : Safetensors.text(metadata, "activations").split(",")) {
            final int[] shape = in.shape(layers.size() + ".weight");
            if (shape.length != 2) throw new IOException("the tensor " + layers.size() + ".weight is not a matrix");
            final int before = layers.isEmpty() ? shape[1] : layers.get(layers.size() - 1).out();
            if (shape[1] != before)
                throw new IOException("layer " + (layers.size() + 1) + " has " + shape[1] + " inputs; expected " + before);
            if (!layers.isEmpty() && layers.get(layers.size() - 1).activation() == Activation.SOFTMAX)
                throw new IOException("layer " + layers.size() + " is softmax; expected it in the last layer only");
            layers.add(new Layer(shape[1], shape[0], activation(name)));
        }
        return layers;
    }

    private static Activation activation(String name) throws IOException {
        for (Activation activation : Activation.values())
            if (activation.name().equalsIgnoreCase(name)) return activation;
        throw new IOException("its activation '" + name + "' is unknown to this release");
    }

    /** @param labels the wanted type of the labels, or null where there are to be none: in regression */
    static Model load(Path file, @Nullable Class<?> labels, Backend backend) throws IOException {
        return read(file, in -> model(in, labels, backend));
    }

    private static Model model(Safetensors in, @Nullable Class<?> labelType, Backend backend) throws IOException {
        final Network network = network(in, backend);
        final JsonObject metadata = in.metadata();
        if (!metadata.has("estimator"))
            throw new IOException("it is a bare network; expected an estimator (Network.load reads it)");
        final String kind = Safetensors.text(metadata, "estimator");
        final boolean multiLabel = kind.equals(MULTI_LABEL), classifier = multiLabel || kind.equals(CLASSIFIER);
        if (!classifier && !kind.equals(REGRESSOR))
            throw new IOException("its estimator '" + kind + "' is unknown to this release");
        if (classifier != (labelType != null))
            throw new IOException("it is a " + kind + "; expected a " + (classifier ? REGRESSOR : CLASSIFIER));
        final Scaler inputs = scaler(metadata, "inputs", network.inputs());
        final Scaler targets = scaler(metadata, "targets", network.outputs());
        final TableEncoder encoder = metadata.has("table") ? table(json(metadata, "table").getAsJsonObject()) : null;
        final List<Object> labels = labelType == null ? List.of() : labels(metadata, labelType);
        final Model model = new Model(network, inputs, targets, labels, multiLabel, encoder);
        if (labelType != null) MlpClassifier.requireOutputs(model);
        return model;
    }

    private static List<Object> labels(JsonObject metadata, Class<?> wanted) throws IOException {
        final String name = Safetensors.text(metadata, "labels.type");
        final LabelType type = LabelType.byName(name);
        if (type == null) throw new IOException("its labels are of the type '" + name + "', which is unknown to this release");
        final List<Object> labels = new ArrayList<>();
        for (JsonElement element : json(metadata, "labels").getAsJsonArray()) {
            if (!element.isJsonPrimitive() || type == LabelType.Character && element.getAsString().length() != 1)
                throw new IOException("label " + labels.size() + " is " + element + "; expected a " + type);
            final Object label = type.read.apply(element);
            if (wanted.isInstance(label)) labels.add(label);
            else if (wanted.isEnum() && label instanceof String text) labels.add(constant(wanted, text));
            else throw new IOException("its labels are of the type " + type + "; expected " + wanted.getSimpleName());
        }
        return labels;
    }

    private static Object constant(Class<?> enumeration, String name) throws IOException {
        for (Object constant : enumeration.getEnumConstants()) if (((Enum<?>) constant).name().equals(name)) return constant;
        throw new IOException("its label '" + name + "' is no constant of " + enumeration.getSimpleName());
    }

    private static @Nullable Scaler scaler(JsonObject metadata, String name, int columns) throws IOException {
        if (!metadata.has(name + ".mean") && !metadata.has(name + ".deviation")) return null;
        final float[] mean = floats(metadata, name + ".mean", columns);
        final float[] deviation = floats(metadata, name + ".deviation", columns);
        for (int c = 0; c < columns; c++) if (deviation[c] == 0) deviation[c] = Float.POSITIVE_INFINITY;
        return Scaler.of(mean, deviation);
    }

    private static float[] floats(JsonObject metadata, String name, int size) throws IOException {
        final JsonArray array = json(metadata, name).getAsJsonArray();
        if (array.size() != size) throw new IOException("its " + name + " has " + array.size() + " numbers; expected " + size);
        final float[] values = new float[size];
        for (int i = 0; i < size; i++) values[i] = array.get(i).getAsFloat();
        return values;
    }

    private static JsonElement json(JsonObject metadata, String name) throws IOException {
        return JsonParser.parseString(Safetensors.text(metadata, name));
    }

    private static TableEncoder table(JsonObject table) throws IOException {
        return new TableEncoder(columns(table, "columns"), columns(table, "targets"),
                                table.has("weight") ? Safetensors.text(table, "weight") : null, Map.of());
    }

    private static List<TableEncoder.Column> columns(JsonObject table, String name) throws IOException {
        final JsonElement array = table.get(name);
        if (array == null || !array.isJsonArray()) throw new IOException("its table has no " + name);
        final List<TableEncoder.Column> columns = new ArrayList<>();
        for (JsonElement element : array.getAsJsonArray()) {
            final JsonObject column = element.getAsJsonObject();
            final List<String> categories = new ArrayList<>();
            if (column.has("categories"))
                for (JsonElement category : column.get("categories").getAsJsonArray()) categories.add(category.getAsString());
            columns.add(new TableEncoder.Column(Safetensors.text(column, "name"), categories));
        }
        return columns;
    }
}
