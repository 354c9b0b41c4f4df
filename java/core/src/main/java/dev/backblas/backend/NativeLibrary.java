package dev.backblas.backend;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds, loads and tests the native library, once. Unavailability is a value with its causes ({@link #failure}).
 *
 * <p>The library comes from {@code -Dbackblas.native.dir}, else from the {@code backblas-natives} jar, out of which it is
 * copied into a directory of its own, so that two class loaders get two libraries; the copy is deleted as soon as it is
 * loaded. Its OpenBLAS is the one named by {@code -Dbackblas.openblas}, else the one linked in, else the one that lies beside it.
 */
final class NativeLibrary {

    private static final String LIBRARY = System.mapLibraryName("backblas");
    private static final List<String> BUNDLED_OPENBLAS = List.of("libopenblas.so.0", "libopenblas.0.dylib");
    /** All that a natives jar may hold. */
    static final List<String> FILES =
        List.of(LIBRARY, "libopenblas.so.0", "libgfortran.so.5", "libquadmath.so.0", "libgcc_s.so.1", "libopenblas.0.dylib",
                "libgfortran.dylib", "libgfortran.5.dylib", "libquadmath.0.dylib", "libgcc_s.1.1.dylib");

    /** How the file system spells names. */
    private static final Charset FILE_NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    /** An explicit choice is final: what it names is used, or nothing. */
    private static final String DIRECTORY_PROPERTY = "backblas.native.dir";
    private static final String OPENBLAS_PROPERTY = "backblas.openblas";

    private final List<String> attempts = new ArrayList<>();
    private final List<Throwable> causes = new ArrayList<>();
    private @Nullable IllegalStateException failure;
    private String description = "";
    private boolean pinsWithoutCopy;
    private String instructionSet = "";

    private NativeLibrary() {}

    /** Never throws: see {@link #failure}. */
    static NativeLibrary load() {
        final NativeLibrary library = new NativeLibrary();
        String remedy;
        try {
            remedy = library.tryAll();
        } catch (IllegalCallerException denied) { // by --illegal-native-access=deny
            library.failed("loading", denied);
            final Module module = NativeLibrary.class.getModule();
            remedy = "start java with --enable-native-access=" + (module.isNamed() ? module.getName() : "ALL-UNNAMED");
        } catch (RuntimeException | LinkageError unexpected) {
            library.failed("loading", unexpected);
            remedy = "please report this";
        }
        if (remedy != null) {
            library.failure = new IllegalStateException(String.join("; ", library.attempts) + "; " + remedy);
            library.causes.forEach(library.failure::addSuppressed);
        }
        return library;
    }

    /** Null when OpenBLAS is ready; else an exception that names every path tried, why each failed, and the remedy. */
    @Nullable IllegalStateException failure() {
        return failure;
    }

    String description() {
        return description;
    }

    boolean pinsWithoutCopy() {
        return pinsWithoutCopy;
    }

    /** What the kernels are compiled for; empty when there are none. */
    String instructionSet() {
        return instructionSet;
    }

    static String platform() {
        final String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        final String arch = System.getProperty("os.arch");
        return (os.contains("mac") ? "macos" : os.contains("linux") ? "linux" : os.replace(' ', '-')) + "-"
            + (arch.equals("amd64") ? "x86_64" : arch);
    }

    /** Where a natives jar holds the {@link #FILES} of this platform. */
    static String resources() {
        return "/dev/backblas/natives/" + platform() + "/";
    }

    /** Returns null on success, else the remedy. */
    private @Nullable String tryAll() {
        final String directory = System.getProperty(DIRECTORY_PROPERTY);
        if (directory != null) return tryDirectory(Path.of(directory).toAbsolutePath());

        final URL library = NativeLibrary.class.getResource(resources() + LIBRARY);
        if (library == null) {
            attempts.add("no resource " + resources() + LIBRARY + " on the class path");
            return "add the dependency dev.backblas:backblas-natives, or set -D" + DIRECTORY_PROPERTY;
        }
        return tryCopy(name -> NativeLibrary.class.getResourceAsStream(resources() + name), library.toString());
    }

    private @Nullable String tryDirectory(Path directory) {
        final Path library = directory.resolve(LIBRARY);
        final String remedy = "correct or remove -D" + DIRECTORY_PROPERTY + " (a path given explicitly is final)";
        if (!Files.isRegularFile(library)) {
            attempts.add(library + ": no such file");
            return remedy;
        }
        try {
            System.load(library.toString());
        } catch (UnsatisfiedLinkError e) {
            // A virtual machine loads a file for one class loader only: the second gets files of its own
            if (String.valueOf(e.getMessage()).contains("another classloader"))
                return tryCopy(name -> {
                    final Path file = directory.resolve(name);
                    return Files.exists(file) ? Files.newInputStream(file) : null;
                }, library.toString());
            failed(library.toString(), e);
            return remedy;
        }
        return openBlas(directory, library.toString());
    }

    /** Where the files of the library come from; null for one that is not there. */
    private interface Source {
        @Nullable InputStream open(String name) throws IOException;
    }

    /** Loads a copy of the library that is ours alone. Returns null on success, else the remedy. */
    private @Nullable String tryCopy(Source source, String origin) {
        // Where /tmp is mounted noexec the home directory usually is not
        for (Path parent : List.of(Path.of(System.getProperty("java.io.tmpdir")),
                                   Path.of(System.getProperty("user.home"), ".cache"))) {
            Path copy = null;
            try {
                if (parent.endsWith(".cache") && Files.isDirectory(parent.getParent())) Files.createDirectories(parent);
                copy = Files.createTempDirectory(parent, "backblas-").toAbsolutePath();
                for (String name : FILES)
                    try (InputStream in = source.open(name)) {
                        if (in != null) Files.copy(in, copy.resolve(name));
                    }
                System.load(copy.resolve(LIBRARY).toString());
                return openBlas(copy, origin);
            } catch (IOException | UnsatisfiedLinkError e) {
                failed(copy == null ? parent.toString() : copy.resolve(LIBRARY).toString(), e);
            } finally {
                if (copy != null) delete(copy);
            }
        }
        return "set -Djava.io.tmpdir to a directory that may hold executable files, or -D" + DIRECTORY_PROPERTY
            + " to one that holds " + LIBRARY;
    }

    /** Opens the OpenBLAS of a loaded library and tries both. Returns null on success, else the remedy. */
    private @Nullable String openBlas(Path directory, String origin) {
        final String explicit = System.getProperty(OPENBLAS_PROPERTY);
        final @Nullable Path file;
        final String remedy;
        if (explicit != null) {
            file = Path.of(explicit).toAbsolutePath();
            remedy = "correct or remove -D" + OPENBLAS_PROPERTY + " (a path given explicitly is final)";
        } else if (OpenBlas.isLinkedIn()) {
            file = null;
            remedy = "please report this";
        } else {
            file = BUNDLED_OPENBLAS.stream().map(directory::resolve).filter(Files::exists).findFirst().orElse(null);
            remedy = "set -D" + OPENBLAS_PROPERTY + " to the path of an OpenBLAS";
            if (file == null) {
                attempts.add(directory + ": no " + String.join(" or ", BUNDLED_OPENBLAS) + " beside " + LIBRARY);
                return remedy;
            }
        }
        final byte[] path = file == null ? null : file.toString().getBytes(FILE_NAMES);
        String error = OpenBlas.open(path, Runtime.getRuntime().availableProcessors());
        if (error == null) error = selfTest();
        if (error != null) {
            failed(file == null ? origin : file.toString(), error);
            return remedy;
        }
        pinsWithoutCopy = OpenBlas.pinsWithoutCopy(new float[8]);
        instructionSet = OpenBlas.instructionSet();
        final String config = OpenBlas.config();
        description = (config.startsWith("OpenBLAS ") ? String.join(" ", List.of(config.split(" ")).subList(0, 2)) : "a BLAS")
            + " " + OpenBlas.core() + (explicit != null ? " from " + file : file == null ? ", linked into" : ", bundled with")
            + (explicit != null ? ", called from " : " ") + origin + ", beside kernels for " + instructionSet;
        return null;
    }

    /** One small product of each kind against plain loops: a library that computes something else is not used. */
    private @Nullable String selfTest() {
        final int in = 9, out = 7, m = 11;
        final float[] w = new float[in * out], b = new float[out], a = new float[in * m], delta = new float[out * m];
        for (float[] x : List.of(w, b, a, delta)) for (int i = 0; i < x.length; i++) x[i] = (i * 31 % 17 - 8) / 8f;
        final float[][] got = {new float[out * m], new float[in * m], new float[in * out]};
        final Program program = new Program(new OpenBlasBackend(this));
        program.addAffine(in, out, m, 0, out, w, 0, b, 0, a, 0, Activation.RELU, got[0], 0);
        OpenBlasBackend.cross(program, 0, program.length(), 0, 1, 0);
        program.clear().addInputGradient(in, out, m, w, 0, delta, 0, Activation.TANH, a, 0, got[1], 0);
        OpenBlasBackend.cross(program, 0, program.length(), 0, 1, 0);
        program.clear().addWeightGradient(in, out, m, 0, out, 0.5f, a, 0, delta, 0, 0, got[2], 0, 0, null, 0);
        OpenBlasBackend.cross(program, 0, program.length(), 0, 1, 0);
        final float[][] want = {new float[out * m], new float[in * m], new float[in * out]};
        Loops.affine(in, out, m, 0, out, w, 0, b, 0, a, 0, Activation.RELU, want[0], 0);
        Loops.inputGradient(in, out, m, w, 0, delta, 0, Activation.TANH, a, 0, want[1], 0);
        Loops.weightGradient(in, out, m, 0, out, 0.5f, a, 0, delta, 0, 0, want[2], 0, 0, null, 0);
        for (int product = 0; product < got.length; product++)
            for (int i = 0; i < got[product].length; i++)
                if (!(Math.abs(got[product][i] - want[product][i]) < 1e-4))
                    return "its products are wrong (" + got[product][i] + " instead of " + want[product][i] + ")";
        return null;
    }

    private void failed(String what, Throwable cause) {
        failed(what, cause.getMessage() == null ? cause.toString() : cause.getMessage());
        causes.add(cause);
    }

    /** Loaders put the path before their message, more than once. */
    private void failed(String what, String why) {
        final String path = what + ": ";
        while (why.startsWith(path)) why = why.substring(path.length());
        attempts.add(path + why);
    }

    /** A library stays loaded when its file is gone. */
    private static void delete(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) Files.deleteIfExists(file);
            Files.deleteIfExists(directory);
        } catch (IOException left) {
            directory.toFile().deleteOnExit();
        }
    }
}
