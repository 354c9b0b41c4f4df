package dev.backblas.cli;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what Backblas found on this machine and, for anything that is wrong, what to do. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
         description = "Print the backend, the libraries, the machine and its speed, and a remedy for anything wrong.",
         exitCodeListHeading = "Exit code: ", exitCodeList = {"0:nothing is wrong", "1:something is, see the remedies"})
final class Doctor implements Callable<Integer> {

    private static final long PATIENCE = 1_000_000_000, LONGEST = 5_000_000_000L; // ns

    private static final List<String> TOLD_FEATURES = List.of("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "asimd");
    /** What OpenBLAS calls processors without AVX2; on one that has it, OpenBLAS has not recognised the processor. */
    private static final String OLD_CORES =
        "Prescott|Core2|Penryn|Dunnington|Nehalem|Atom|Sandybridge|Athlon|Opteron.*|Barcelona|Bobcat|Bulldozer|Katmai|Generic";

    @Option(names = "--json", description = "One JSON object instead of text.")
    private boolean json;

    private final List<String> remedies = new ArrayList<>();
    private final Map<String, Object> found = new LinkedHashMap<>();

    @Override
    public Integer call() {
        final String features = features();
        final Backend java = Backend.pureJava();
        Backend openBlas = null;
        try {
            openBlas = Backend.openBlas();
        } catch (IllegalStateException e) {
            remedies.add(e.getMessage());
        }
        say("backend", chosen());
        if (openBlas != null) {
            speed("openblas", openBlas, " (affine 512x512x512)");
            final String core = openBlas.description().replaceFirst("^OpenBLAS \\S+ (\\S+).*", "$1");
            if (core.matches(OLD_CORES) && features.contains("avx2"))
                remedies.add("OpenBLAS took this processor for a " + core + ": set the environment variable OPENBLAS_CORETYPE to "
                    + (features.contains("avx512bw") ? "SkylakeX" : "Haswell"));
            if (!openBlas.allowsConcurrentTiles())
                remedies.add("this virtual machine copies arrays on their way to native code, so training uses one thread: run "
                    + "without -Xcheck:jni, on HotSpot");
        }
        speed("java", java, "");
        if (java.description().contains("plain loops") && !json)
            print("", "(several times faster with the JVM flag --add-modules jdk.incubator.vector)");
        say("threads", Runtime.getRuntime().availableProcessors() + " processors");
        say("jdk", System.getProperty("java.version") + ", " + System.getProperty("java.vm.name") + " "
            + System.getProperty("java.home"));
        say("machine", System.getProperty("os.name") + " " + System.getProperty("os.arch") + ", " + cpu("model name"));
        say("features", features);
        for (String property : List.of("backblas.backend", "backblas.openblas", "backblas.native.dir"))
            if (System.getProperty(property) != null) say("-D" + property, System.getProperty(property));
        found.put("wrong", remedies);
        if (json) Json.print(found);
        else if (remedies.isEmpty()) System.out.println("nothing is wrong");
        else remedies.forEach(remedy -> System.out.println("wrong: " + remedy));
        return remedies.isEmpty() ? 0 : 1;
    }

    private String chosen() {
        try {
            return Backend.fastest().name();
        } catch (IllegalArgumentException | IllegalStateException e) {
            if (!remedies.contains(e.getMessage())) remedies.add(e.getMessage());
            return "none";
        }
    }

    private void say(String what, String is) {
        found.put(what, is);
        if (!json) print(what, is);
    }

    private void speed(String name, Backend backend, String of) {
        final double speed = gigaflops(backend);
        say(name, backend.description());
        found.put(name + "_gigaflops", speed);
        if (!json) print("speed", String.format("%.1f GFLOP/s on one thread%s", speed, of));
    }

    private static void print(String what, String is) {
        System.out.printf("%-9s %s%n", what, is);
    }

    /** The best of many tries, until none has been better for a while: loops in Java must be compiled first. */
    private static double gigaflops(Backend backend) {
        final int n = 512;
        final float[] w = new float[n * n], a = new float[n * n], next = new float[n * n];
        Arrays.fill(w, 0.5f);
        Arrays.fill(a, 0.25f);
        final long begin = System.nanoTime();
        long best = Long.MAX_VALUE, now = begin, better = begin;
        while (now - better < PATIENCE && now - begin < LONGEST) {
            final long start = now;
            backend.affine(n, n, n, w, null, a, Activation.IDENTITY, next);
            now = System.nanoTime();
            if (now - start < 0.9 * best) better = now;
            best = Math.min(best, now - start);
        }
        return 2.0 * n * n * n / best;
    }

    private static String features() {
        final List<String> all = List.of((cpu("flags") + " " + cpu("Features")).split("\\s+"));
        final String told = String.join(" ", TOLD_FEATURES.stream().filter(all::contains).toList());
        return told.isEmpty() ? "unknown" : told;
    }

    private static String cpu(String key) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/cpuinfo")))
                if (line.startsWith(key)) return line.substring(line.indexOf(':') + 1).strip();
        } catch (IOException notLinux) {
            // then it stays unknown
        }
        return "unknown";
    }
}
