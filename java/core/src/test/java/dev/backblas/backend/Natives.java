package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** The native files that the tests work with. */
final class Natives {

    private Natives() {}

    /** A test that fails where OpenBLAS cannot be loaded, and is left out only of a build that was asked to be pure Java. */
    @Retention(RetentionPolicy.RUNTIME)
    @DisabledIfSystemProperty(named = "backblas.test.native", matches = "false")
    @interface Required {}

    /** An OpenBLAS as any program may have one: the shared library that the build has unpacked. */
    static Path openBlas() throws IOException {
        final Path directory = Path.of(System.getProperty("backblas.test.openblas", "../natives/target/openblas"));
        assertTrue(Files.isDirectory(directory), () -> directory.toAbsolutePath() + " is made by the build of java/natives");
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(file -> file.getFileName().toString().matches("libopenblas\\.(so\\.0|0\\.dylib)"))
                .findFirst().orElseThrow().toRealPath();
        }
    }

    /** Copies what the natives jar holds into a directory, and returns it. */
    static Path unpack(Path directory) throws IOException {
        Files.createDirectories(directory);
        for (String name : NativeLibrary.FILES)
            try (InputStream in = Natives.class.getResourceAsStream(NativeLibrary.resources() + name)) {
                if (in != null) Files.copy(in, directory.resolve(name));
            }
        return directory;
    }
}
