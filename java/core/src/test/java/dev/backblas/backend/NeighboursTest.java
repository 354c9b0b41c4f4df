package dev.backblas.backend;

import static dev.backblas.backend.Probe.say;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.ForkedJvm.Result;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What else lives in the process: threads, another OpenBLAS, and Backblas itself in another class loader. */
@EnabledOnOs(OS.LINUX)
@Natives.Required
class NeighboursTest {

    /** With an environment in which any OpenBLAS starts threads, where there is more than one processor. */
    private static ForkedJvm jvm(String... flags) {
        return new ForkedJvm(flags).environment("OPENBLAS_NUM_THREADS", "8");
    }

    // --- threads, and another OpenBLAS ------------------------------------------------------------------------------

    @Test
    void startsNoThread() throws Exception {
        final Result alone = jvm().run(Newcomer.class);
        assertTrue(alone.value("product").startsWith("right"), alone::toString);
        assertEquals(alone.value("threads before"), alone.value("threads after"));
    }

    @Test
    void startsNoThreadInAnOpenBlasThatIsNamed() throws Exception {
        final Result named = jvm("-Dbackblas.openblas=" + Natives.openBlas()).run(Newcomer.class);
        assertTrue(named.value("product").startsWith("right"), named::toString);
        assertEquals(named.value("threads before"), named.value("threads after"));
    }

    @Test
    void anOpenBlasOfTheSameNameMayBeThereBefore() throws Exception {
        assertUndisturbed(jvm("-Dtest.neighbour=" + Natives.openBlas()).run(Newcomer.class));
    }

    @Test
    void anOpenBlasOfTheSameNameMayShowItsSymbolsToAll() throws Exception {
        assertUndisturbed(jvm().environment("LD_PRELOAD", Natives.openBlas().toString()).run(Newcomer.class));
    }

    /** Both are there, ours is the one that runs, and theirs keeps its threads. */
    private static void assertUndisturbed(Result together) throws Exception {
        final Result alone = jvm().run(Newcomer.class);
        assertEquals(1 + alone.number("libraries"), together.number("libraries"));
        assertEquals(alone.value("openBlas"), together.value("openBlas"));
        assertEquals(alone.value("product"), together.value("product"));
        assertEquals(together.value("threads before"), together.value("threads after"));
        if (Runtime.getRuntime().availableProcessors() > 1)
            assertTrue(together.number("threads before") > alone.number("threads before"), "a neighbour without threads");
    }

    /** Backblas comes into a process, after its neighbour if there is one. */
    static final class Newcomer {
        public static void main(String[] args) throws Exception {
            final String neighbour = System.getProperty("test.neighbour");
            if (neighbour != null)
                for (String name : List.of("libquadmath.so.0", "libgfortran.so.5", "libopenblas.so.0"))
                    if (Files.exists(Path.of(neighbour).resolveSibling(name)))
                        System.load(Path.of(neighbour).resolveSibling(name).toString());
            say("threads before", Newcomer::nativeThreads);
            say("openBlas", () -> Backend.openBlas().description());
            say("product", () -> Probe.product(Backend.openBlas()));
            say("threads after", Newcomer::nativeThreads);
            say("libraries", NeighboursTest::libraries);
        }

        /** Those with the name of this one, which native code has started; the virtual machine gives its own other names. */
        private static long nativeThreads() throws IOException {
            final String name = Files.readString(Path.of("/proc/thread-self/comm"));
            long threads = 0;
            try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
                for (Path task : tasks.toList())
                    if (Files.exists(task) && Files.readString(task.resolve("comm")).equals(name)) threads++;
            }
            return threads;
        }
    }

    /** How many files of Backblas and OpenBLAS are mapped into this process. */
    private static long libraries() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.matches(".*/lib(backblas|openblas)\\..*"))
            .map(line -> line.split(" +")[4]).distinct().count(); // its inode
    }

    // --- another class loader ---------------------------------------------------------------------------------------

    @Test
    void everyClassLoaderHasItsOwn(@TempDir Path tmp) throws Exception {
        assertEachHasItsOwn(jvm("-Djava.io.tmpdir=" + tmp).run(Loaders.class), tmp);
    }

    @Test
    void everyClassLoaderHasItsOwnOfADirectoryThatIsNamed(@TempDir Path tmp, @TempDir Path natives) throws Exception {
        final ForkedJvm jvm = jvm("-Djava.io.tmpdir=" + tmp, "-Dbackblas.native.dir=" + Natives.unpack(natives));
        assertEachHasItsOwn(jvm.run(Loaders.class), tmp);
    }

    private static void assertEachHasItsOwn(Result result, Path tmp) throws IOException {
        assertEquals(3, result.values("openBlas").size());
        assertEquals(Set.of("openblas"), Set.copyOf(result.values("fastest")));
        assertEquals(1, Set.copyOf(result.values("openBlas")).size(), result::toString);
        assertEquals(1, Set.copyOf(result.values("product")).size(), result::toString);
        assertTrue(result.values("product").get(0).startsWith("right"), result::toString);
        assertEquals(3 * result.number("libraries of one"), result.number("libraries of three"), result::toString);
        assertEquals(result.value("libraries of one"), result.value("libraries when two have gone"));
        try (Stream<Path> left = Files.list(tmp)) {
            assertEquals(List.of(), left.toList());
        }
    }

    /** Backblas in the class loader of the application, and in two more, which then go. */
    static final class Loaders {
        public static void main(String[] args) throws Exception {
            Probe.main(args);
            final long one = libraries();
            say("libraries of one", () -> one);
            final List<URL> classPath = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator))
                classPath.add(Path.of(entry).toUri().toURL());
            final WeakReference<?> gone = two(classPath.toArray(URL[]::new));
            for (int i = 0; i < 100 && (gone.get() != null || libraries() > one); i++) {
                System.gc();
                Thread.sleep(50);
            }
            say("libraries when two have gone", NeighboursTest::libraries);
        }

        private static WeakReference<?> two(URL[] classPath) throws Exception {
            try (URLClassLoader second = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader());
                 URLClassLoader third = new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader())) {
                for (ClassLoader loader : List.of(second, third)) {
                    final Method main = loader.loadClass(Probe.class.getName()).getMethod("main", String[].class);
                    main.setAccessible(true);
                    main.invoke(null, (Object) new String[0]);
                }
                say("libraries of three", NeighboursTest::libraries);
                return new WeakReference<>(second);
            }
        }
    }
}
