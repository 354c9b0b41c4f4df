package dev.backblas.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Where a file is to go; tried before an hour of work rather than after it. */
final class Destination {

    private Destination() {}

    /** Follows a symbolic link, and refuses what cannot be written to; {@code what} is what is to be written. */
    static Path of(Path file, String what) throws IOException {
        final Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        if (target.getFileName() == null || Files.exists(target) && !Files.isRegularFile(target))
            throw new IOException(file + ": " + what + " cannot be written to it: it is no file");
        final Path parent = target.getParent();
        if (!Files.isDirectory(parent))
            throw new IOException(parent + ": " + what + " cannot be written to it: no such directory");
        try {
            Files.delete(Files.createTempFile(parent, ".backblas", null));
        } catch (IOException e) { // no permission, a disk that is full or only to be read
            throw new IOException(parent + ": " + what + " cannot be written to it: "
                + (e instanceof AccessDeniedException ? "permission denied"
                    : e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : "it takes no new file"), e);
        }
        return target;
    }

    /** Refuses to write over what is read; names that are no files are read otherwise. */
    static void requireOther(Path file, String... read) throws IOException {
        for (String name : read)
            if (Files.isRegularFile(file) && Files.isRegularFile(Path.of(name)) && Files.isSameFile(file, Path.of(name)))
                throw new IOException(file + ": it is read, and cannot be written too; expected another file");
    }

    @FunctionalInterface
    interface Writing {
        void to(Path part) throws IOException;
    }

    /** Writes beside and renames, so that no half of a file is ever there. */
    static void write(Path target, Writing writing) throws IOException {
        final Path part = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
        part.toFile().deleteOnExit(); // after Ctrl-C
        try {
            writing.to(part);
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
