package dev.backblas.backend;

import java.util.Arrays;
import java.util.List;

/** The backends that every test runs on. A native one that is missing fails the test, unless the build does without. */
public final class TestBackends {

    private TestBackends() {}

    /**
     * Whether the same call gives the same bits. Not under netlib's Vector API: there a compiled sum of lanes is added in another
     * order than an interpreted one (seen on JDK 25; the API leaves it open).
     */
    public static boolean repeatsBits(Backend backend) {
        return !backend.description().contains("VectorBLAS");
    }

    /** Whether {@code got} is {@code want}: to the bit where the backend repeats it, else up to rounding. */
    public static boolean same(Backend backend, float[] want, float[] got) {
        if (repeatsBits(backend)) return Arrays.equals(want, got);
        for (int i = 0; i < want.length; i++) if (!(Math.abs(want[i] - got[i]) <= 1e-4f)) return false;
        return want.length == got.length;
    }

    public static List<Backend> all() {
        return Boolean.parseBoolean(System.getProperty("backblas.test.native", "true"))
            ? List.of(Backend.openBlas(), Backend.pureJava())
            : List.of(Backend.pureJava());
    }
}
