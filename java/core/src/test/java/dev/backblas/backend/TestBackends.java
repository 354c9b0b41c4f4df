package dev.backblas.backend;

import java.util.ArrayList;
import java.util.List;

/** The backends that every test runs on. A native one that is missing fails the test, unless the build does without. */
public final class TestBackends {

    private TestBackends() {}

    /** Ours: OpenBLAS, and pure Java in each of its ways. */
    public static List<Backend> all() {
        final List<Backend> backends = new ArrayList<>();
        if (Boolean.parseBoolean(System.getProperty("backblas.test.native", "true"))) backends.add(Backend.openBlas());
        if (!Backend.pureJava().description().equals(plain().description())) backends.add(Backend.pureJava());
        backends.add(plain());
        return backends;
    }

    /** And the peer. It keeps the contract too, but under the Vector API it need not repeat its bits. */
    static List<Backend> withPeer() {
        final List<Backend> backends = new ArrayList<>(all());
        backends.add(Backend.named("netlib"));
        return backends;
    }

    private static Backend plain() {
        return new JavaBackend(new PlainProduct());
    }
}
