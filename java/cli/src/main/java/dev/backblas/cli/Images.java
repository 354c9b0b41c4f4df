package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Idx;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Images of one byte a pixel, and their labels.
 *
 * @param pixels size × height × width, unsigned
 * @param labels of each image, or null where they are not known
 */
record Images(Idx pixels, byte @Nullable [] labels) {

    int size() {
        return pixels.size();
    }

    int height() {
        return pixels.shape()[1];
    }

    int width() {
        return pixels.shape()[2];
    }

    int label(int i) {
        return labels[i] & 0xff;
    }

    int mostLabel() {
        int most = 0;
        for (int i = 0; i < size(); i++) most = Math.max(most, label(i));
        return most;
    }

    /** The labels, as numbers. */
    float[] targets() {
        final float[] y = new float[size()];
        for (int i = 0; i < y.length; i++) y[i] = label(i);
        return y;
    }

    /** Their labels as one of so many outputs each. */
    Dataset oneHot(int outputs) {
        final float[] y = new float[size() * outputs];
        for (int i = 0; i < size(); i++) y[i * outputs + label(i)] = 1;
        return dataset(y, outputs);
    }

    /** As samples with pixels in [0, 1] and these targets. */
    Dataset dataset(float[] y, int outputs) {
        return Dataset.ofBytes(pixels.values(), y, pixels.itemSize(), outputs);
    }

    /**
     * Reads the images and labels of a directory of IDX files, gzipped or not, named as MNIST's are.
     *
     * @param part train, or t10k for those to test with
     */
    static Images read(Path directory, String part) throws IOException {
        final Idx images = Idx.read(find(directory, part + "-images"), 3);
        final Idx labels = Idx.read(find(directory, part + "-labels"), 1);
        if (images.size() != labels.size())
            throw new IOException(directory + ": there are " + images.size() + " " + part + " images but " + labels.size()
                + " labels; expected as many");
        return new Images(images, labels.values());
    }

    private static Path find(Path directory, String part) throws IOException {
        if (!Files.isDirectory(directory)) throw new IOException(directory + ": no such directory");
        final String base = part + (part.endsWith("images") ? "-idx3-ubyte" : "-idx1-ubyte");
        for (String name : new String[] {base, base + ".gz", base.replace("-idx", ".idx")})
            if (Files.isRegularFile(directory.resolve(name))) return directory.resolve(name);
        throw new IOException(directory + ": no file " + base + " or " + base + ".gz in it");
    }

    /** Whether a file begins as IDX files of images do. */
    static boolean isImages(Path file) throws IOException {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) return false;
        final byte[] first = head(Files.newInputStream(file));
        final byte[] magic = first.length > 1 && first[0] == 0x1f && first[1] == (byte) 0x8b
            ? head(new GZIPInputStream(Files.newInputStream(file))) : first;
        return magic.length == 4 && magic[0] == 0 && magic[1] == 0 && magic[2] == 8 && magic[3] == 3;
    }

    private static byte[] head(InputStream in) throws IOException {
        try (in) {
            return in.readNBytes(4);
        }
    }
}
