package dev.backblas.backend;

import java.util.Arrays;

/** The one instance of each backend, made when it is first asked for. */
final class Backends {

    private static final System.Logger LOG = System.getLogger("dev.backblas");

    private Backends() {}

    private static final class Java {
        static final Backend INSTANCE = new JavaBackend(product());

        /** By the Vector API where this virtual machine has it, and as we know it; else by plain loops. */
        private static MatrixProduct product() {
            final MatrixProduct plain = new PlainProduct();
            if (MatrixProduct.FUSED && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent())
                try { // by name, for nothing else may touch a class that does not link without that module
                    final MatrixProduct vector = (MatrixProduct)
                        Class.forName("dev.backblas.backend.VectorProduct").getDeclaredConstructor().newInstance();
                    if (agree(plain, vector)) return vector;
                } catch (ReflectiveOperationException | LinkageError changed) {
                    LOG.log(System.Logger.Level.WARNING, "the Vector API of this Java is another than ours: {0}", changed);
                }
            return plain;
        }

        /** Whether both can multiply, by tiles (m = 9) and by dot products. */
        private static boolean agree(MatrixProduct first, MatrixProduct second) {
            final int in = 67, out = 69;
            final float[] w = new float[in * out], a = new float[in * 9];
            for (int i = 0; i < w.length; i++) w[i] = i % 17 - 8;
            for (int i = 0; i < a.length; i++) a[i] = i % 13 - 6;
            for (int m : new int[] {1, 9}) {
                final float[] want = new float[out * m], got = new float[out * m];
                first.multiply(out, m, in, 1, w, 0, in, 1, a, 0, 1, in, 0, want, 0, out);
                second.multiply(out, m, in, 1, w, 0, in, 1, a, 0, 1, in, 0, got, 0, out);
                if (!Arrays.equals(want, got)) return false; // whole numbers: no rounding
            }
            return true;
        }
    }

    private static final class Netlib {
        static final Backend INSTANCE = new NetlibBackend();
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
            case "netlib" -> Netlib.INSTANCE;
            case "auto" -> Auto.INSTANCE;
            default -> throw new IllegalArgumentException(
                "backend: there is none named '" + name + "'; expected openblas, java, netlib or auto");
        };
    }
}
