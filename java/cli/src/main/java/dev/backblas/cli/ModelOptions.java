package dev.backblas.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the commands that work with a model have in common. */
final class ModelOptions {

    static final String BACKENDS = "openblas, java, netlib, or auto for the fastest one that is there.";

    @Parameters(index = "0", paramLabel = "MODEL", description = "A file that train wrote.")
    Path file;

    @Option(names = "--backend", paramLabel = "NAME", description = BACKENDS)
    private @Nullable String backend;

    Model load() throws IOException {
        return Model.load(file, backend);
    }
}
