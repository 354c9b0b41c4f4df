package dev.backblas;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Files that are never torn: written beside, forced to the disk, and renamed. A symbolic link is replaced, not followed. */
final class AtomicFile {

    private AtomicFile() {}

    /** Writes what is to be in the file. */
    @FunctionalInterface
    interface Content {
        void write(FileChannel out) throws IOException;
    }

    /** @throws IOException naming the file, if it cannot be written; what was there before still is */
    static void write(Path file, Content content) throws IOException {
        final Path target = file.toAbsolutePath();
        if (target.getFileName() == null || Files.exists(target) && !Files.isRegularFile(target))
            throw new IOException(file + ": cannot be written: it is no file");
        Path beside = null;
        try {
            // Not createTempFile: its files are for their owner alone
            beside = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".part");
            try (FileChannel out = FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                content.write(out);
                out.force(true);
            }
            replace(beside, target);
            beside = null;
        } catch (IOException e) {
            throw new IOException(file + ": cannot be written: " + reason(e), e);
        } finally {
            if (beside != null) Files.deleteIfExists(beside);
        }
    }

    private static void replace(Path beside, Path target) throws IOException {
        try {
            Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(beside, target, StandardCopyOption.REPLACE_EXISTING);
        }
        try (FileChannel directory = FileChannel.open(target.getParent())) {
            directory.force(true); // the new name too survives a power failure
        } catch (IOException notOnThisSystem) {
            // Windows opens no directories; the file itself is safe
        }
    }

    /** What went wrong, without a path that has been named. */
    static String reason(Exception e) {
        if (e instanceof AccessDeniedException) return "permission denied";
        if (e instanceof NoSuchFileException missing) return "no such file or directory: " + missing.getFile();
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
