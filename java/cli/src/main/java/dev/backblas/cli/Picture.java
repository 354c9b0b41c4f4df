package dev.backblas.cli;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.function.IntUnaryOperator;
import javax.imageio.ImageIO;

/** Small images as PNG, in an address that a page can carry. */
final class Picture {

    private Picture() {}

    /** From black, the least value, to white, the largest. */
    static String grey(float[] values, int width, int height) {
        float least = Float.POSITIVE_INFINITY, most = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            least = Math.min(least, value);
            most = Math.max(most, value);
        }
        final float from = least, range = Math.max(most - least, Float.MIN_NORMAL);
        return png(width, height, i -> {
            final int shade = Math.round(255 * (values[i] - from) / range);
            return shade << 16 | shade << 8 | shade;
        });
    }

    /** From blue, below 0, over white to red, above, as strong as the value farthest from 0. */
    static String signed(float[] values, int offset, int width, int height) {
        float most = Float.MIN_NORMAL;
        for (int i = offset; i < offset + width * height; i++) most = Math.max(most, Math.abs(values[i]));
        final float farthest = most;
        return png(width, height, i -> {
            final float share = values[offset + i] / farthest;
            return share < 0 ? mix(0x1D4ED8, -share) : mix(0xD9480F, share);
        });
    }

    /** White, with a share of a colour. */
    private static int mix(int colour, float share) {
        int mixed = 0;
        for (int shift = 0; shift <= 16; shift += 8)
            mixed |= Math.round(255 - share * (255 - (colour >> shift & 255))) << shift;
        return mixed;
    }

    private static String png(int width, int height, IntUnaryOperator rgb) {
        final BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) image.setRGB(i % width, i / width, rgb.applyAsInt(i));
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
