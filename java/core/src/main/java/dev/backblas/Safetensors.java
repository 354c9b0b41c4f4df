package dev.backblas;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file: eight bytes for the length of the header, little-endian; the header, JSON, padded with spaces to a multiple
 * of eight; then the tensors, little-endian. Read with distrust.
 */
final class Safetensors implements Closeable {

    private static final int LONGEST_HEADER = 100_000_000; // as the reference implementation
    private static final int FLOATS_AT_A_TIME = 1 << 16;

    private final FileChannel in;
    private final JsonObject header;
    private final long data; // where the tensors begin

    /** A tensor of floats that lies in an array. */
    record Tensor(String name, float[] values, int offset, int... shape) {
        int size() {
            return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        }
    }

    // ---- Writing

    static void write(Path file, Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        final ByteBuffer header = header(file, metadata, tensors);
        AtomicFile.write(file, out -> {
            write(out, header);
            final ByteBuffer buffer = buffer();
            for (Tensor tensor : tensors) write(out, tensor, buffer);
        });
    }

    private static ByteBuffer header(Path file, Map<String, String> metadata, List<Tensor> tensors) throws IOException {
        final JsonObject header = new JsonObject(), strings = new JsonObject();
        metadata.forEach(strings::addProperty);
        header.add("__metadata__", strings);
        long offset = 0;
        for (Tensor tensor : tensors) {
            final JsonArray dimensions = new JsonArray(), offsets = new JsonArray();
            for (int dimension : tensor.shape()) dimensions.add(dimension);
            offsets.add(offset);
            offsets.add(offset += (long) tensor.size() * Float.BYTES);
            final JsonObject described = new JsonObject();
            described.addProperty("dtype", "F32");
            described.add("shape", dimensions);
            described.add("data_offsets", offsets);
            header.add(tensor.name(), described);
        }
        final byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        final int length = (json.length + 7) / 8 * 8;
        if (length > LONGEST_HEADER)
            throw new IOException(file + ": cannot be written: its header would have " + length + " bytes; expected "
                + LONGEST_HEADER + " or fewer");
        final ByteBuffer buffer = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(json);
        while (buffer.hasRemaining()) buffer.put((byte) ' ');
        return buffer.flip();
    }

    private static void write(FileChannel out, Tensor tensor, ByteBuffer buffer) throws IOException {
        for (int i = 0; i < tensor.size(); ) {
            final int count = Math.min(FLOATS_AT_A_TIME, tensor.size() - i);
            buffer.clear();
            buffer.asFloatBuffer().put(tensor.values(), tensor.offset() + i, count);
            write(out, buffer.limit(count * Float.BYTES));
            i += count;
        }
    }

    private static void write(FileChannel out, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) out.write(buffer);
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(FLOATS_AT_A_TIME * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    // ---- Reading

    /** Reads the header; messages of what this throws do not name the file, and JSON may throw as {@link JsonParser} does. */
    Safetensors(Path file) throws IOException {
        in = FileChannel.open(Objects.requireNonNull(file, "file"));
        try {
            final long length = read(8, "the length of the header").getLong();
            if (length < 2 || length > LONGEST_HEADER || length > in.size() - 8)
                throw new IOException("its header has " + length + " bytes; expected 2 to " + LONGEST_HEADER
                    + ", and no more than the file (is it a safetensors file?)");
            final String json = StandardCharsets.UTF_8.decode(read((int) length, "the header")).toString();
            final JsonElement header = JsonParser.parseString(json);
            if (!header.isJsonObject()) throw new IOException("its header is not a JSON object");
            this.header = header.getAsJsonObject();
            data = in.position();
        } catch (IOException | RuntimeException | Error e) {
            in.close();
            throw e;
        }
    }

    private ByteBuffer read(int bytes, String what) throws IOException {
        final ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        fill(buffer, what);
        return buffer.flip();
    }

    private void fill(ByteBuffer buffer, String what) throws IOException {
        while (buffer.hasRemaining())
            if (in.read(buffer) < 0) throw new EOFException("it ends at byte " + in.size() + ", inside " + what);
    }

    JsonObject metadata() throws IOException {
        return object(header, "__metadata__");
    }

    /** @throws IOException if the file is not as long as its header and so many floats */
    void requireFloats(long floats) throws IOException {
        if (in.size() != data + floats * Float.BYTES)
            throw new IOException("it has " + in.size() + " bytes; expected " + (data + floats * Float.BYTES));
    }

    private String names() {
        final List<String> names = header.keySet().stream().filter(name -> !name.equals("__metadata__")).toList();
        return names.size() <= 12 ? String.join(", ", names) : String.join(", ", names.subList(0, 12)) + ", …";
    }

    int[] shape(String name) throws IOException {
        if (!header.has(name)) throw new IOException("it has no tensor " + name + "; it has " + names());
        final JsonElement shape = object(header, name).get("shape");
        if (shape == null || !shape.isJsonArray()) throw new IOException("the tensor " + name + " has no shape");
        final int[] dimensions = new int[shape.getAsJsonArray().size()];
        for (int d = 0; d < dimensions.length; d++) dimensions[d] = shape.getAsJsonArray().get(d).getAsInt();
        return dimensions;
    }

    /** Reads a tensor of 32-bit floats. */
    void read(String name, FloatBuffer values, int... shape) throws IOException {
        requireShape(name, shape);
        if (type(name) != Type.F32) throw new IOException("the tensor " + name + " is " + type(name) + "; expected F32");
        readAsFloats(name, values);
    }

    private void requireShape(String name, int... shape) throws IOException {
        final int[] found = shape(name);
        if (!Arrays.equals(found, shape))
            throw new IOException(
                "the tensor " + name + " is " + Arrays.toString(found) + "; expected " + Arrays.toString(shape));
    }

    /** The types of numbers that can become floats. */
    private enum Type {
        F64(8), F32(4), F16(2), BF16(2);

        final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        float next(ByteBuffer buffer) {
            return switch (this) {
                case F64 -> (float) buffer.getDouble();
                case F32 -> buffer.getFloat();
                case F16 -> half(buffer.getShort());
                case BF16 -> Float.intBitsToFloat(buffer.getShort() << 16);
            };
        }

        /** IEEE 754 binary16. */
        private static float half(short bits) {
            final int sign = bits & 0x8000, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
            final float magnitude = exponent == 0 ? fraction * 0x1p-24f
                : exponent == 31 ? fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN
                : Float.intBitsToFloat(exponent + 112 << 23 | fraction << 13);
            return sign == 0 ? magnitude : -magnitude;
        }
    }

    private Type type(String name) throws IOException {
        final String dtype = text(object(header, name), "dtype");
        for (Type type : Type.values()) if (type.name().equals(dtype)) return type;
        throw new IOException("the tensor " + name + " is " + dtype + "; expected F32, F64, F16 or BF16");
    }

    /** Reads as many numbers as {@code values} can take, whatever their type; the tensor must have just as many. */
    void readAsFloats(String name, FloatBuffer values) throws IOException {
        final Type type = type(name);
        in.position(data + offset(name, (long) values.remaining() * type.bytes));
        final ByteBuffer buffer = buffer();
        while (values.hasRemaining()) {
            final int count = Math.min(FLOATS_AT_A_TIME * Float.BYTES / type.bytes, values.remaining());
            fill(buffer.clear().limit(count * type.bytes), name);
            buffer.flip();
            if (type == Type.F32) values.put(buffer.asFloatBuffer());
            else while (buffer.hasRemaining()) values.put(type.next(buffer));
        }
    }

    /** @throws IOException if the tensor has not the numbers of its shape, inside of the file */
    void requireInside(String name) throws IOException {
        long bytes = type(name).bytes;
        for (int dimension : shape(name)) bytes = Math.multiplyExact(bytes, (long) dimension);
        offset(name, bytes);
    }

    private long offset(String name, long bytes) throws IOException {
        final JsonElement offsets = object(header, name).get("data_offsets");
        if (offsets == null || !offsets.isJsonArray() || offsets.getAsJsonArray().size() != 2)
            throw new IOException("the tensor " + name + " has no data_offsets");
        final long from = offsets.getAsJsonArray().get(0).getAsLong(), to = offsets.getAsJsonArray().get(1).getAsLong();
        if (from < 0 || to - from != bytes || to > in.size() - data)
            throw new IOException("the tensor " + name + " lies at [" + from + ", " + to + ") of " + (in.size() - data)
                + " bytes; expected " + bytes + " bytes inside the file");
        return from;
    }

    private static JsonObject object(JsonObject parent, String name) throws IOException {
        final JsonElement element = parent.get(name);
        if (element == null || !element.isJsonObject()) throw new IOException("its header has no object " + name);
        return element.getAsJsonObject();
    }

    static String text(JsonObject parent, String name) throws IOException {
        final JsonElement element = parent.get(name);
        if (element == null || !element.isJsonPrimitive()) throw new IOException("its header has no " + name);
        return element.getAsString();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
