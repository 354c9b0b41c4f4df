package dev.backblas.backend;

import java.util.List;

/** The backends that every test runs on. A native one that is missing fails the test, unless the build does without. */
public final class TestBackends {

    private TestBackends() {}

    public static List<Backend> all() {
        return Boolean.parseBoolean(System.getProperty("backblas.test.native", "true"))
            ? List.of(Backend.openBlas(), Backend.pureJava())
            : List.of(Backend.pureJava());
    }
}
