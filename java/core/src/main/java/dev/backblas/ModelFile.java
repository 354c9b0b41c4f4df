package dev.backblas;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A network as a safetensors file: eight bytes for the length of the header, little-endian; the header, JSON, padded with
 * spaces to a multiple of eight; then the tensors, little-endian floats.
 *
 * <p>Our W is in × out, column-major: the same bytes as the row-major out × in of PyTorch's {@code nn.Linear}. The metadata hold
 * {@code format} and {@code version}, and {@code activations}, such as {@code relu,softmax}.
 */
final class ModelFile {

    private static final String FORMAT = "backblas";
    private static final String VERSION = "1";
    private static final int LONGEST_HEADER = 1 << 20;
    private static final int FLOATS_AT_A_TIME = 1 << 16;

    private ModelFile() {}

    static void save(Network network, Path file) throws IOException {
        AtomicFile.write(file, out -> {
            final ByteBuffer header = header(network);
            while (header.hasRemaining()) out.write(header);
            write(out, network.parameters(), buffer()); // in the order of the tensors
        });
    }

    private static ByteBuffer header(Network network) {
        final JsonObject metadata = new JsonObject();
        metadata.addProperty("format", FORMAT);
        metadata.addProperty("version", VERSION);
        final List<String> activations = new ArrayList<>();
        for (int l = 1; l <= network.depth(); l++)
            activations.add(network.layer(l).activation().name().toLowerCase(Locale.ROOT));
        metadata.addProperty("activations", String.join(",", activations));
        final JsonObject header = new JsonObject();
        header.add("__metadata__", metadata);
        long offset = 0;
        for (int l = 1; l <= network.depth(); l++) {
            final Layer layer = network.layer(l);
            offset = describe(header, (l - 1) + ".weight", offset, layer.out(), layer.in());
            offset = describe(header, (l - 1) + ".bias", offset, layer.out());
        }
        final byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        final int length = (json.length + 7) / 8 * 8;
        final ByteBuffer buffer = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json);
        while (buffer.hasRemaining()) buffer.put((byte) ' ');
        return buffer.flip();
    }

    private static long describe(JsonObject header, String name, long offset, int... shape) {
        final JsonArray dimensions = new JsonArray(), offsets = new JsonArray();
        long size = Float.BYTES;
        for (int dimension : shape) {
            dimensions.add(dimension);
            size *= dimension;
        }
        offsets.add(offset);
        offsets.add(offset + size);
        final JsonObject tensor = new JsonObject();
        tensor.addProperty("dtype", "F32");
        tensor.add("shape", dimensions);
        tensor.add("data_offsets", offsets);
        header.add(name, tensor);
        return offset + size;
    }

    static Network load(Path file, Backend backend) throws IOException {
        try (FileChannel in = FileChannel.open(file)) {
            final JsonObject header = readHeader(in);
            final long data = in.position();
            final List<Layer> layers = layers(header);
            final long floats = layers.stream().mapToLong(layer -> (long) layer.weights() + layer.out()).sum();
            if (in.size() != data + floats * Float.BYTES) // before memory is taken for what a header may claim
                throw new IOException("it has " + in.size() + " bytes; expected " + (data + floats * Float.BYTES));
            final Network network = new Network(layers, backend);
            final ByteBuffer buffer = buffer();
            for (int l = 1; l <= network.depth(); l++) {
                final Layer layer = network.layer(l);
                read(in, data, header, (l - 1) + ".weight", network.weights(l), buffer, layer.out(), layer.in());
                read(in, data, header, (l - 1) + ".bias", network.biases(l), buffer, layer.out());
            }
            network.requireFinite("load");
            return network;
        } catch (IOException | IllegalStateException | IllegalArgumentException | UnsupportedOperationException
                 | JsonParseException | ClassCastException e) { // the latter four: JSON of another kind than expected
            throw new IOException(file + ": is not a model that can be read: " + AtomicFile.reason(e), e);
        }
    }

    private static JsonObject readHeader(FileChannel in) throws IOException {
        final long length = read(in, 8, "the length of the header").getLong();
        if (length < 2 || length > LONGEST_HEADER || length > in.size() - 8)
            throw new IOException("its header has " + length + " bytes; expected 2 to " + LONGEST_HEADER
                + ", and no more than the file (is it a safetensors file?)");
        final String json = StandardCharsets.UTF_8.decode(read(in, (int) length, "the header")).toString();
        final JsonElement header = JsonParser.parseString(json);
        if (!header.isJsonObject()) throw new IOException("its header is not a JSON object");
        return header.getAsJsonObject();
    }

    private static List<Layer> layers(JsonObject header) throws IOException {
        final JsonObject metadata = object(header, "__metadata__");
        if (!FORMAT.equals(text(metadata, "format")))
            throw new IOException("its metadata do not say format \"" + FORMAT + "\"; it was written by something else");
        if (!VERSION.equals(text(metadata, "version")))
            throw new IOException("its version is " + text(metadata, "version") + "; this release reads version " + VERSION);
        final List<Layer> layers = new ArrayList<>();
        for (String name : text(metadata, "activations").split(",")) {
            final int[] shape = shape(header, layers.size() + ".weight");
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

    /** Reads a tensor of this shape into {@code values}. */
    private static void read(FileChannel in, long data, JsonObject header, String name, FloatBuffer values, ByteBuffer buffer,
                             int... shape) throws IOException {
        final JsonObject tensor = object(header, name);
        if (!"F32".equals(text(tensor, "dtype")))
            throw new IOException("the tensor " + name + " is " + text(tensor, "dtype") + "; expected F32");
        if (!Arrays.equals(shape(header, name), shape))
            throw new IOException("the tensor " + name + " is " + Arrays.toString(shape(header, name))
                + "; expected " + Arrays.toString(shape));
        final JsonElement offsets = tensor.get("data_offsets");
        if (offsets == null || !offsets.isJsonArray() || offsets.getAsJsonArray().size() != 2)
            throw new IOException("the tensor " + name + " has no data_offsets");
        final long from = offsets.getAsJsonArray().get(0).getAsLong(), to = offsets.getAsJsonArray().get(1).getAsLong();
        final long bytes = (long) values.remaining() * Float.BYTES;
        if (from < 0 || to - from != bytes || to > in.size() - data)
            throw new IOException("the tensor " + name + " lies at [" + from + ", " + to + ") of " + (in.size() - data)
                + " bytes; expected " + bytes + " bytes inside the file");
        in.position(data + from);
        while (values.hasRemaining()) {
            fill(in, buffer.clear().limit(Math.min(FLOATS_AT_A_TIME, values.remaining()) * Float.BYTES), name);
            values.put(buffer.flip().asFloatBuffer());
        }
    }

    private static JsonObject object(JsonObject parent, String name) throws IOException {
        final JsonElement element = parent.get(name);
        if (element == null || !element.isJsonObject()) throw new IOException("its header has no object " + name);
        return element.getAsJsonObject();
    }

    private static String text(JsonObject parent, String name) throws IOException {
        final JsonElement element = parent.get(name);
        if (element == null || !element.isJsonPrimitive()) throw new IOException("its header has no " + name);
        return element.getAsString();
    }

    private static int[] shape(JsonObject header, String name) throws IOException {
        final JsonElement shape = object(header, name).get("shape");
        if (shape == null || !shape.isJsonArray()) throw new IOException("the tensor " + name + " has no shape");
        final int[] dimensions = new int[shape.getAsJsonArray().size()];
        for (int d = 0; d < dimensions.length; d++) dimensions[d] = shape.getAsJsonArray().get(d).getAsInt();
        return dimensions;
    }

    private static ByteBuffer read(FileChannel in, int bytes, String what) throws IOException {
        final ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fill(in, buffer, what);
        return buffer.flip();
    }

    private static void fill(FileChannel in, ByteBuffer buffer, String what) throws IOException {
        while (buffer.hasRemaining())
            if (in.read(buffer) < 0)
                throw new EOFException("it ends at byte " + in.size() + ", inside " + what);
    }

    private static void write(FileChannel out, float[] values, ByteBuffer buffer) throws IOException {
        for (int i = 0; i < values.length; ) {
            final int count = Math.min(FLOATS_AT_A_TIME, values.length - i);
            buffer.clear();
            buffer.asFloatBuffer().put(values, i, count);
            for (buffer.limit(count * Float.BYTES); buffer.hasRemaining(); ) out.write(buffer);
            i += count;
        }
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(FLOATS_AT_A_TIME * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }
}
