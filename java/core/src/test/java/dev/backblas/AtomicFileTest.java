package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several writers of one file, in this process and others, that end well or not. */
class AtomicFileTest {

    @TempDir
    Path directory;
    private Path file;

    @BeforeEach
    void old() throws IOException {
        file = directory.resolve("a [1].txt"); // no pattern must take this for one
        AtomicFile.write(file, text("old"));
    }

    private static AtomicFile.Content text(String text) {
        return out -> out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Writes one half, says so, and waits for a file to appear before it writes the other. */
    static final class Child {
        public static void main(String[] args) throws IOException {
            AtomicFile.write(Path.of(args[0]), out -> {
                text("one half, ").write(out);
                System.out.println("amid");
                while (Files.notExists(Path.of(args[1]))) Thread.onSpinWait();
                text("the other").write(out);
            });
        }
    }

    /** Starts a child and returns when it is amid its write. */
    private Process amid(Path go) throws IOException, InterruptedException {
        final Path said = Files.createTempFile("atomic", ".out");
        try {
            final Process child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Child.class.getName(), file.toString(), go.toString())
                .redirectOutput(said.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            while (child.isAlive() && Files.size(said) == 0) Thread.sleep(1);
            assertTrue(child.isAlive(), "it waits");
            return child;
        } finally {
            Files.delete(said);
        }
    }

    @Test
    void whatAKilledWriterLeftIsRemovedByTheNext() throws IOException, InterruptedException {
        amid(directory.resolve("never")).destroyForcibly().waitFor();
        final List<Path> first = parts();
        assertEquals(1, first.size());
        amid(directory.resolve("never")).destroyForcibly().waitFor();
        assertEquals(1, parts().size(), "the second has removed what the first left");
        assertNotEquals(first, parts());
        assertEquals("old", Files.readString(file));
        AtomicFile.write(directory.resolve("a"), text("another"));
        assertEquals(1, parts().size(), "of another file, it stays");
        AtomicFile.write(file, text("new"));
        assertEquals("new", Files.readString(file));
        assertEquals(List.of(), parts());
    }

    @Test
    void whatALivingWriterWritesStays() throws IOException, InterruptedException {
        final Path go = directory.resolve("go");
        final Process child = amid(go);
        try {
            AtomicFile.write(file, text("new"));
            assertEquals("new", Files.readString(file));
            assertEquals(1, parts().size());
            Files.createFile(go);
            assertTrue(child.waitFor(60, TimeUnit.SECONDS), "it does not end");
            assertEquals(0, child.exitValue());
        } finally {
            child.destroyForcibly();
        }
        assertEquals("one half, the other", Files.readString(file), "who ends last wins");
        assertEquals(List.of(), parts());
    }

    @Test
    void writersOfOneProcessDoNotDisturbEachOther() throws IOException {
        IntStream.range(0, 200).parallel().forEach(i -> {
            try {
                AtomicFile.write(file, text(Integer.toString(i).repeat(10_000)));
                final String read = Files.readString(file);
                assertEquals(read.substring(0, read.length() / 10_000).repeat(10_000), read);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(List.of(), parts());
    }

    private List<Path> parts() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(each -> each.toString().endsWith(".part")).toList();
        }
    }
}
