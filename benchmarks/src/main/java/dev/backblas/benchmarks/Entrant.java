package dev.backblas.benchmarks;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Who takes part in a comparison: a process that {@link Rival} asks for slices.
 *
 * @param name    such as {@code pytorch}
 * @param threads the threads it may use
 * @param enters  the workloads it can do
 * @param command starts it, but for the workload and the number of threads
 * @param once    whether the command serves one slice and ends, instead of waiting for lines
 */
public record Entrant(String name, int threads, Set<Workload> enters, List<String> command, boolean once) {

    static final String FLOOR = "floor";
    static final String OURS = "ours";
    static final String VECTOR = "java-vector";
    static final String JAVA = "java";
    static final String NETLIB = "netlib"; // its BLAS in Java under our bookkeeping
    static final String PYTORCH = "pytorch";
    static final List<String> OTHER_PEERS = List.of("jniblas", "dl4j", "onnxruntime", "smile");

    private static final Set<Workload> EVERYTHING = EnumSet.allOf(Workload.class);
    private static final String PEERS = "dev.backblas.benchmarks.peers.";

    /** The name, with the threads where they are several: {@code ours}, {@code ours x2}. */
    String id() {
        return threads == 1 ? name : name + " x" + threads;
    }

    /** The name that an id begins with. */
    static String name(String id) {
        return id.split(" ")[0];
    }

    /**
     * Everyone: ours, the floor where it is built, and the peers if they are wanted.
     *
     * @param home    the directory of the project
     * @param threads the most that one may use
     * @throws IllegalStateException if peers are wanted that were not built
     */
    public static List<Entrant> all(Path home, int threads, boolean peers) {
        final List<Entrant> all = new ArrayList<>();
        final Path kernels = kernels(home);
        if (Files.isExecutable(kernels)) {
            all.add(new Entrant(FLOOR, 1, EVERYTHING, List.of(kernels.toString(), "floor"), true));
            all.add(new Entrant("kernels", 1, EVERYTHING, List.of(kernels.toString(), "step"), true)); // without Java
        }
        final String ours = System.getProperty("java.class.path");
        if (!System.getProperty("backblas.backend", "auto").equals("java")) // that is, if all is not built for pure Java
            add(all, OURS, EVERYTHING, ours, List.of("-Dbackblas.backend=openblas"), Backblas.class.getName(), 1, threads);
        add(all, VECTOR, EVERYTHING, ours, List.of("-Dbackblas.backend=java", Jvm.VECTOR), Backblas.class.getName(), 1);
        add(all, JAVA, EVERYTHING, ours, List.of("-Dbackblas.backend=java"), Backblas.class.getName(), 1);
        add(all, NETLIB, EVERYTHING, ours, List.of("-Dbackblas.backend=netlib", Jvm.VECTOR), Backblas.class.getName(), 1);
        if (!peers) return all;
        final Path built = home.resolve("benchmarks/peers/target");
        if (!Files.isDirectory(built.resolve("lib")))
            throw new IllegalStateException("bench: the peers are not built: ./mvnw -Ppeers package -DskipTests");
        final String theirs = String.join(
            File.pathSeparator, ours, built.resolve("classes").toString(), built.resolve("lib") + File.separator + "*");
        final List<String> flags = List.of(
            "-Dai.djl.offline=true", "-DDJL_CACHE_DIR=" + built.resolve("djl"), Jvm.VECTOR);
        add(all, "jniblas", EVERYTHING, theirs, flags, PEERS + "JniBlas", 1, threads);
        add(all, PYTORCH, EVERYTHING, theirs, flags, PEERS + "PyTorch", 1, threads);
        add(all, "dl4j", EVERYTHING, theirs, flags, PEERS + "Dl4j", 1, threads);
        add(all, "onnxruntime", EnumSet.of(Workload.I1, Workload.I2), theirs, flags, PEERS + "OnnxRuntime", 1, threads);
        add(all, "smile", EnumSet.of(Workload.W4, Workload.W5, Workload.I1), theirs, flags, PEERS + "Smile", 1);
        return all;
    }

    /** The GFLOP/s of one processor's fused multiply-adds; 0 if the program that measures them is not built. */
    static double peak(Path home) {
        final Path kernels = kernels(home);
        return Files.isExecutable(kernels) ? Double.parseDouble(Jvm.lines(List.of(kernels.toString(), "peak")).get(0)) : 0;
    }

    private static Path kernels(Path home) {
        return home.resolve("benchmarks/target/cmake/kernels_bench");
    }

    private static void add(List<Entrant> all, String name, Set<Workload> enters, String classPath, List<String> flags,
                            String contender, int... threads) {
        final List<String> command = Jvm.command(
            classPath, Stream.of(Jvm.hugePages(), flags).flatMap(List::stream).toList(), Slices.class, contender);
        for (int t : IntStream.of(threads).distinct().toArray()) all.add(new Entrant(name, t, enters, command, false));
    }
}
