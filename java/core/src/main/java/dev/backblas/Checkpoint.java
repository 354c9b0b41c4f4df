package dev.backblas;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * All that a {@link Trainer} needs to go on as if it had never stopped, and the file that holds it: magic, settings, position,
 * history, arrays, and a checksum of all this, in the order of {@link DataOutputStream}.
 *
 * @param settings what must be the same in the trainer that resumes
 * @param epoch    the epochs begun
 * @param start    the samples of the epoch at hand that are done; 0 between epochs
 * @param sum      of C over these
 * @param nanos    they took
 * @param steps    all steps
 * @param history  the epochs done
 * @param arrays   parameters, what the optimizer remembers, and the best parameters if they are kept
 */
record Checkpoint(String settings, int epoch, int start, double sum, long nanos, long steps, History history, float[][] arrays) {

    private static final String MAGIC = "backblas checkpoint 1";
    private static final int FLOATS_AT_A_TIME = 1 << 14;

    /** @throws IOException naming the file, if it cannot be written */
    void write(Path file) throws IOException {
        AtomicFile.write(file, channel -> {
            final CheckedOutputStream checked = new CheckedOutputStream(Channels.newOutputStream(channel), new CRC32());
            final DataOutputStream out = new DataOutputStream(new BufferedOutputStream(checked, 4 * FLOATS_AT_A_TIME));
            out.writeUTF(MAGIC);
            out.writeUTF(settings);
            out.writeInt(epoch);
            out.writeInt(start);
            out.writeDouble(sum);
            out.writeLong(nanos);
            out.writeLong(steps);
            out.writeInt(history.size());
            for (History.Epoch each : history) {
                out.writeInt(each.number());
                out.writeDouble(each.loss());
                out.writeDouble(each.validationLoss());
                out.writeDouble(each.metric());
                out.writeDouble(each.rate());
                out.writeDouble(each.seconds());
            }
            out.writeInt(arrays.length);
            final ByteBuffer buffer = ByteBuffer.allocate(FLOATS_AT_A_TIME * Float.BYTES);
            for (float[] array : arrays) {
                out.writeInt(array.length);
                for (int i = 0, count; i < array.length; i += count) {
                    count = Math.min(FLOATS_AT_A_TIME, array.length - i);
                    buffer.asFloatBuffer().put(array, i, count);
                    out.write(buffer.array(), 0, count * Float.BYTES);
                }
            }
            out.flush();
            out.writeLong(checked.getChecksum().getValue());
            out.flush();
        });
    }

    /**
     * @throws IOException naming the file and what is wrong with it, if it cannot be read, is damaged, or is of other settings
     */
    static Checkpoint read(Path file, String settings, int parameters) throws IOException {
        Objects.requireNonNull(file, "file");
        try (CheckedInputStream checked = new CheckedInputStream(
                 new BufferedInputStream(Files.newInputStream(file), 4 * FLOATS_AT_A_TIME), new CRC32());
             DataInputStream in = new DataInputStream(checked)) {
            if (!MAGIC.equals(in.readUTF())) throw new IOException("it does not begin with '" + MAGIC + "'");
            final String found = in.readUTF();
            if (!found.equals(settings)) throw new IOException("it is of " + found + "; expected " + settings);
            final int epoch = in.readInt(), start = in.readInt();
            final double sum = in.readDouble();
            final long nanos = in.readLong(), steps = in.readLong();
            final History history = new History();
            for (int rest = in.readInt(); rest > 0; rest--) // a false number ends with the file
                history.add(new History.Epoch(in.readInt(), in.readDouble(), in.readDouble(), in.readDouble(), in.readDouble(),
                                              in.readDouble()));
            final int count = in.readInt();
            if (count < 1 || count > 1 << 10) throw new IOException("it says it has " + count + " arrays");
            final float[][] arrays = new float[count][];
            final byte[] bytes = new byte[FLOATS_AT_A_TIME * Float.BYTES];
            for (int k = 0; k < count; k++) {
                final int length = in.readInt();
                if (length != parameters)
                    throw new IOException("an array has " + length + " values; expected " + parameters);
                arrays[k] = new float[length];
                for (int i = 0, floats; i < length; i += floats) {
                    floats = Math.min(FLOATS_AT_A_TIME, length - i);
                    in.readFully(bytes, 0, floats * Float.BYTES);
                    ByteBuffer.wrap(bytes).asFloatBuffer().get(arrays[k], i, floats);
                }
            }
            final long checksum = checked.getChecksum().getValue();
            if (in.readLong() != checksum) throw new IOException("its checksum is wrong: it is damaged");
            return new Checkpoint(settings, epoch, start, sum, nanos, steps, history, arrays);
        } catch (EOFException e) {
            throw new IOException(file + ": is not a checkpoint that can be read: it ends too early", e);
        } catch (IOException e) {
            throw new IOException(file + ": is not a checkpoint that can be read: " + AtomicFile.reason(e), e);
        }
    }
}
