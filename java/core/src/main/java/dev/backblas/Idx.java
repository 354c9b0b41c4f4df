package dev.backblas;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * An IDX file of unsigned bytes, the format of MNIST: two zero bytes, the type 0x08, the number of dimensions, each dimension
 * as a big-endian {@code int}, then the values.
 *
 * @param shape  the dimensions, the first counting the items
 * @param values the product of the dimensions, the last running fastest; unsigned
 */
public record Idx(int[] shape, byte[] values) {

    private static final int UNSIGNED_BYTE = 0x08;

    /** {@return the number of items: images or labels} */
    public int size() {
        return shape[0];
    }

    /** {@return the number of values of one item: the pixels of an image, 1 for a label} */
    public int itemSize() {
        return size() == 0 ? 0 : values.length / size();
    }

    /**
     * Reads a file, gzipped or not.
     *
     * @param file       the path of the file
     * @param dimensions how many the file must have: 3 for images, 1 for labels
     * @return all of it, in memory
     * @throws IOException naming the file and what is wrong with it
     */
    public static Idx read(Path file, int dimensions) throws IOException {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
             DataInputStream in = new DataInputStream(gunzip(raw))) {
            final int zero = in.readUnsignedShort(), type = in.readUnsignedByte(), found = in.readUnsignedByte();
            if (zero != 0 || type != UNSIGNED_BYTE || found != dimensions)
                throw new IOException(String.format(
                    "the magic number is 0x%04x%02x%02x; expected 0x0000%02x%02x, an IDX file of unsigned bytes in %d "
                        + "dimension%s",
                    zero, type, found, UNSIGNED_BYTE, dimensions, dimensions, dimensions == 1 ? "" : "s"));
            final int[] shape = new int[dimensions];
            long size = 1;
            for (int d = 0; d < dimensions; d++) {
                shape[d] = in.readInt();
                if (shape[d] < 1 || (size *= shape[d]) > Integer.MAX_VALUE - 8)
                    throw new IOException(
                        "its dimensions are " + Arrays.toString(Arrays.copyOf(shape, d + 1)) + "…; expected each to be 1 or "
                            + "more, and fewer than 2^31 values");
            }
            final byte[] values = in.readNBytes((int) size);
            if (values.length < size)
                throw new EOFException("it ends after " + values.length + " values; expected " + size);
            if (in.read() >= 0) throw new IOException("it goes on after its " + size + " values; expected the end");
            return new Idx(shape, values);
        } catch (IOException e) {
            throw new IOException(file + ": " + (e instanceof EOFException && e.getMessage() == null
                ? "it ends inside its header" : reason(e)), e);
        }
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) return "no such file";
        if (e instanceof AccessDeniedException) return "it cannot be read: permission denied";
        if (e instanceof EOFException && String.valueOf(e.getMessage()).contains("ZLIB")) return "the gzip stream is cut short";
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private static InputStream gunzip(InputStream in) throws IOException {
        in.mark(2);
        final int first = in.read(), second = in.read();
        in.reset();
        return first == 0x1f && second == 0x8b ? new GZIPInputStream(in, 1 << 16) : in;
    }
}
