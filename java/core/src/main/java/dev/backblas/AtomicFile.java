package dev.backblas;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/**
 * Files that are never torn: written beside, forced to the disk, and renamed. A symbolic link is replaced, not followed.
 *
 * <p>A process that is killed amid a write leaves what it has written beside. The next write of the same file removes it: a part
 * is locked while its writer lives, and the system unlocks it when that ends in any way.
 */
final class AtomicFile {

    /** In the names of the parts that this process writes. */
    private static final String MINE = UUID.randomUUID().toString();
    private static final AtomicLong COUNT = new AtomicLong();

    private AtomicFile() {}

    /** Writes what is to be in the file. */
    @FunctionalInterface
    interface Content {
        void write(FileChannel out) throws IOException;
    }

    /** @throws IOException naming the file, if it cannot be written; what was there before still is */
    static void write(Path file, Content content) throws IOException {
        final Path target = Objects.requireNonNull(file, "file").toAbsolutePath();
        if (target.getFileName() == null || Files.exists(target) && !Files.isRegularFile(target))
            throw new IOException(file + ": cannot be written: it is no file");
        // Not createTempFile: its files are for their owner alone
        final Path beside = target.resolveSibling(part(target) + MINE + "-" + COUNT.incrementAndGet() + ".part");
        try {
            if (Files.notExists(target.getParent())) throw new NoSuchFileException(target.getParent().toString());
            removeLeft(target);
            try (FileChannel out = create(beside)) {
                content.write(out);
                out.force(true);
                replace(beside, target); // still locked: no one takes it for left behind
            }
        } catch (IOException e) {
            throw new IOException(file + ": cannot be written: " + reason(e), e);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private static String part(Path target) {
        return "." + target.getFileName() + ".";
    }

    private static FileChannel create(Path beside) throws IOException {
        while (true) {
            final FileChannel out = FileChannel.open(beside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                out.lock();
            } catch (IOException withoutLocks) {
                return out; // on such a file system nothing is removed, either
            }
            if (Files.exists(beside)) return out;
            out.close(); // it was removed in the moment before it was locked
        }
    }

    /** Removes the parts of the target that no one writes any more. */
    private static void removeLeft(Path target) {
        final Pattern name = Pattern.compile(Pattern.quote(part(target)) + "(?!" + MINE + ")[0-9a-f-]{36}-\\d+\\.part");
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(
                 target.getParent(), path -> name.matcher(path.getFileName().toString()).matches())) {
            for (Path part : parts)
                try (FileChannel left = FileChannel.open(part, StandardOpenOption.WRITE); FileLock lock = left.tryLock()) {
                    if (lock != null) Files.deleteIfExists(part);
                }
        } catch (IOException | DirectoryIteratorException | OverlappingFileLockException notOurs) {
            // a directory that may not be listed, another user's file, another class loader's: no reason not to write
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
