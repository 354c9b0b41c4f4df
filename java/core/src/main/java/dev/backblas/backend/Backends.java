package dev.backblas.backend;

/** The one instance of each backend, made when it is first asked for. */
final class Backends {

    private static final System.Logger LOG = System.getLogger("dev.backblas");

    private Backends() {}

    private static final class Java {
        static final Backend INSTANCE = new JavaBackend();
    }

    /** OpenBLAS, or why there is none: unavailability is a value. */
    private static final class Native {
        static final NativeLibrary LIBRARY = NativeLibrary.load();
        static final Backend INSTANCE = new OpenBlasBackend(LIBRARY);
    }

    /** What {@code auto} means here; its initialisation logs the reason for a fallback, so it is said once. */
    private static final class Auto {
        static final Backend INSTANCE = choose();

        private static Backend choose() {
            if (Native.LIBRARY.failure() == null) return Native.INSTANCE;
            LOG.log(System.Logger.Level.WARNING, "OpenBLAS is not available, pure Java runs instead (slower): {0}",
                    Native.LIBRARY.failure().getMessage());
            return Java.INSTANCE;
        }
    }

    static Backend pureJava() {
        return Java.INSTANCE;
    }

    static Backend openBlas() {
        final IllegalStateException failure = Native.LIBRARY.failure();
        if (failure != null) throw new IllegalStateException("OpenBLAS is not available: " + failure.getMessage(), failure);
        return Native.INSTANCE;
    }

    static Backend named(String name) {
        return switch (name) {
            case "openblas" -> openBlas();
            case "java" -> pureJava();
            case "auto" -> Auto.INSTANCE;
            default -> throw new IllegalArgumentException(
                "backend: there is none named '" + name + "'; expected openblas, java or auto");
        };
    }
}
