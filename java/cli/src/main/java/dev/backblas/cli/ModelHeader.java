package dev.backblas.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The head of a safetensors file, ours or another's: what it says of itself.
 *
 * @param metadata texts by name
 * @param tensors  in the order of the file
 */
record ModelHeader(Map<String, String> metadata, List<Tensor> tensors) {

    /** As long as safetensors itself allows. */
    private static final long LONGEST = 100_000_000;

    /** A tensor. */
    record Tensor(String name, String type, String shape) {}

    /** What kind of model it is: an estimator's, or a network alone. */
    String kind() {
        return metadata.getOrDefault("estimator", "network");
    }

    boolean isOurs() {
        return "backblas".equals(metadata.get("format"));
    }

    static ModelHeader read(Path file) throws IOException {
        if (!Files.exists(file)) throw new IOException(file + ": no such file");
        if (Files.isDirectory(file)) throw new IOException(file + ": it is a directory; expected a model file");
        if (!Files.isReadable(file)) throw new IOException(file + ": it cannot be read: permission denied");
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            final long length = Long.reverseBytes(in.readLong());
            if (length < 2 || length > Math.min(LONGEST, Files.size(file) - 8)) throw new IOException("no header");
            final byte[] text = new byte[(int) length];
            in.readFully(text);
            return of(JsonParser.parseString(new String(text, StandardCharsets.UTF_8)).getAsJsonObject());
        } catch (EOFException | JsonParseException | IllegalStateException | UnsupportedOperationException e) {
            throw new IOException(file + ": it is no safetensors file; expected a model that 'backblas train' wrote", e);
        } catch (IOException e) {
            throw "no header".equals(e.getMessage())
                ? new IOException(file + ": it is no safetensors file; expected a model that 'backblas train' wrote", e) : e;
        }
    }

    private static ModelHeader of(JsonObject header) {
        final Map<String, String> metadata = new LinkedHashMap<>();
        final List<Tensor> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonElement> entry : header.entrySet())
            if (entry.getKey().equals("__metadata__"))
                entry.getValue().getAsJsonObject().entrySet().forEach(e -> metadata.put(e.getKey(), e.getValue().getAsString()));
            else {
                final JsonObject tensor = entry.getValue().getAsJsonObject();
                tensors.add(new Tensor(entry.getKey(), String.valueOf(tensor.get("dtype")).replace("\"", ""),
                                       String.valueOf(tensor.get("shape"))));
            }
        return new ModelHeader(metadata, tensors);
    }
}
