package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.backblas.backend.ForkedJvm.Result;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the native library and its OpenBLAS come from, what happens when they do not, and that nothing is left behind. */
class NativeLoadingTest {

    private static final String LIBRARY = System.mapLibraryName("backblas");

    @TempDir Path directory;
    @TempDir Path tmp;
    @TempDir Path home;

    /** Whatever a test does. */
    @AfterEach
    void nothingIsLeftBehind() throws IOException {
        assertEquals(List.of(), list(tmp));
        if (Files.exists(home.resolve(".cache"))) assertEquals(List.of(), list(home.resolve(".cache")));
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private ForkedJvm jvm(String... flags) {
        final Stream<String> places = Stream.of("-Djava.io.tmpdir=" + tmp, "-Duser.home=" + home);
        return new ForkedJvm(Stream.concat(places, Stream.of(flags)).toArray(String[]::new));
    }

    private static void assertOpenBlas(Result result, String description) {
        assertEquals(List.of("openblas", "openblas"), result.values("fastest"));
        assertTrue(result.value("openBlas").matches(description), () -> result.value("openBlas") + " is not " + description);
        assertTrue(result.value("product").startsWith("right"), result::toString);
        assertEquals(List.of(), warnings(result));
    }

    /** Pure Java runs, {@link Backend#openBlas()} throws, and both say why: in one line of the log, and in the message. */
    private static void assertFallback(Result result, String... reasons) {
        assertEquals(List.of("java", "java"), result.values("fastest"));
        assertEquals(List.of("java", "java"), result.values("fastest elsewhere"));
        assertTrue(result.value("product").startsWith("right"), result::toString);
        final String thrown = result.value("openBlas");
        assertTrue(thrown.startsWith("IllegalStateException: OpenBLAS is not available: "), thrown);
        assertEquals(1, warnings(result).size(), result::toString);
        for (String reason : reasons) {
            assertTrue(thrown.contains(reason), () -> thrown + " does not say " + reason);
            assertTrue(warnings(result).get(0).contains(reason), () -> warnings(result) + " do not say " + reason);
        }
    }

    private static List<String> warnings(Result result) {
        return result.err().stream().filter(line -> line.startsWith("WARNING: OpenBLAS ")).toList();
    }

    // --- the natives jar --------------------------------------------------------------------------------------------

    @Natives.Required
    @Test
    void comesFromTheJar() throws Exception {
        assertOpenBlas(jvm().run(Probe.class), "OpenBLAS \\d+\\.\\d+\\.\\d+ [A-Z]\\w+, (linked into|bundled with) (jar:)?file:.*"
            + NativeLibrary.resources() + LIBRARY + ", beside kernels for (avx512|avx512 by halves|avx2|baseline)");
    }

    @Test
    void withoutTheJarSaysWhichDependencyIsMissing() throws Exception {
        assertFallback(jvm().classPath(withoutNatives()).run(Probe.class), NativeLibrary.resources() + LIBRARY,
                       "add the dependency dev.backblas:backblas-natives");
    }

    @Test
    void aDamagedJarNamesEveryPlaceItWasUnpackedTo() throws Exception {
        final Path natives = directory.resolve(NativeLibrary.resources().substring(1));
        Files.writeString(Files.createDirectories(natives).resolve(LIBRARY), "not a library");
        assertFallback(jvm().classPath(directory + File.pathSeparator + withoutNatives()).run(Probe.class), tmp.toString(),
                       home.resolve(".cache").toString(), "set -Djava.io.tmpdir to");
    }

    private static String withoutNatives() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("backblas-natives"))
            .filter(entry -> !Files.exists(Path.of(entry, "dev", "backblas", "natives")))
            .collect(Collectors.joining(File.pathSeparator));
    }

    // --- where files can be unpacked to -----------------------------------------------------------------------------

    @Natives.Required
    @Test
    void isUnpackedIntoTheHomeDirectoryWhereTmpCannotBeWritten() throws Exception {
        final Path file = Files.createFile(directory.resolve("file"));
        assertOpenBlas(jvm("-Djava.io.tmpdir=" + file).run(Probe.class), "OpenBLAS .*");
        assertTrue(Files.exists(home.resolve(".cache")));
    }

    @Natives.Required
    @EnabledOnOs(OS.LINUX)
    @Test
    void isUnpackedIntoTheHomeDirectoryWhereTmpIsNoexec() throws Exception {
        assumeTrue(run("mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", tmp.toString()), "only root may mount a noexec /tmp");
        try {
            assertOpenBlas(jvm().run(Probe.class), "OpenBLAS .*");
            assertTrue(Files.exists(home.resolve(".cache")));
            assertFallback(jvm("-Duser.home=" + tmp).run(Probe.class), tmp.toString(), "set -Djava.io.tmpdir to");
            Files.delete(tmp.resolve(".cache"));
            nothingIsLeftBehind();
        } finally {
            assertTrue(run("umount", tmp.toString()));
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException missing) {
            return false;
        }
    }

    // --- -Dbackblas.native.dir --------------------------------------------------------------------------------------

    @Natives.Required
    @Test
    void comesFromTheDirectoryThatIsNamed() throws Exception {
        final Path natives = Natives.unpack(directory.resolve("natives"));
        assertOpenBlas(jvm("-Dbackblas.native.dir=" + natives).classPath(withoutNatives()).run(Probe.class),
                       "OpenBLAS .* (linked into|bundled with) " + natives.resolve(LIBRARY) + ",.*");
    }

    @Natives.Required
    @ParameterizedTest
    @ValueSource(strings = {"with spaces", "größer", "数🙂"})
    void aDirectoryMayHaveAnyName(String name) throws Exception {
        assumeTrue(Charset.forName(System.getProperty("sun.jnu.encoding")).newEncoder().canEncode(name), "the locale is ASCII");
        final Path natives = Natives.unpack(directory.resolve(name));
        assertOpenBlas(jvm("-Dbackblas.native.dir=" + natives).run(Probe.class), "OpenBLAS .* " + natives + ".*");

        final Path file = Natives.openBlas();
        try (Stream<Path> files = Files.list(file.getParent())) {
            for (Path each : files.toList())
                if (!Files.exists(natives.resolve(each.getFileName()))) Files.copy(each, natives.resolve(each.getFileName()));
        }
        assertOpenBlas(jvm("-Dbackblas.openblas=" + natives.resolve(file.getFileName())).run(Probe.class),
                       "OpenBLAS .* from " + natives + ".*");
    }

    @Test
    void aMissingDirectoryIsFinal() throws Exception {
        final Path missing = directory.resolve("missing");
        assertFallback(jvm("-Dbackblas.native.dir=" + missing).run(Probe.class), missing.resolve(LIBRARY) + ": no such file",
                       "correct or remove -Dbackblas.native.dir (a path given explicitly is final)");
    }

    @Test
    void aDirectoryWithoutTheLibraryIsFinal() throws Exception {
        assertFallback(jvm("-Dbackblas.native.dir=" + directory).run(Probe.class), directory.resolve(LIBRARY) + ": no such file",
                       "correct or remove -Dbackblas.native.dir");
    }

    @EnabledOnOs(OS.LINUX)
    @Test
    void aDirectoryWithSomethingElseIsFinal() throws Exception {
        Files.writeString(directory.resolve(LIBRARY), "not a library".repeat(100));
        assertFallback(jvm("-Dbackblas.native.dir=" + directory).run(Probe.class),
                       directory.resolve(LIBRARY) + ": invalid ELF header", "correct or remove -Dbackblas.native.dir");
    }

    // --- -Dbackblas.openblas ----------------------------------------------------------------------------------------

    @Natives.Required
    @Test
    void takesTheOpenBlasThatIsNamed() throws Exception {
        final Path file = Natives.openBlas();
        assertOpenBlas(jvm("-Dbackblas.openblas=" + file).run(Probe.class),
                       "OpenBLAS \\d+\\.\\d+\\.\\d+ [A-Z]\\w+ from " + file + ", called from .*" + LIBRARY + ",.*");
    }

    @Natives.Required
    @Test
    void aMissingOpenBlasIsFinal() throws Exception {
        final Path missing = directory.resolve("libopenblas.so");
        assertFallback(jvm("-Dbackblas.openblas=" + missing).run(Probe.class), missing + ": ", "o such file",
                       "correct or remove -Dbackblas.openblas (a path given explicitly is final)");
    }

    @Natives.Required
    @EnabledOnOs(OS.LINUX)
    @Test
    void anOpenBlasThatIsNoLibraryIsFinal() throws Exception {
        final Path text = Files.writeString(directory.resolve("libopenblas.so"), "not a library".repeat(100));
        assertFallback(jvm("-Dbackblas.openblas=" + text).run(Probe.class), text + ": invalid ELF header",
                       "correct or remove -Dbackblas.openblas");
    }

    @Natives.Required
    @Test
    void aLibraryThatIsNoBlasIsFinal() throws Exception {
        final Path zip = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("zip"));
        assertFallback(jvm("-Dbackblas.openblas=" + zip).run(Probe.class), zip + ": no function cblas_sgemm in it",
                       "correct or remove -Dbackblas.openblas");
    }

    // --- -Dbackblas.backend -----------------------------------------------------------------------------------------

    @Natives.Required
    @ParameterizedTest
    @ValueSource(strings = {"openblas", "auto"})
    void choosesOpenBlas(String name) throws Exception {
        assertOpenBlas(jvm("-Dbackblas.backend=" + name).run(Probe.class), "OpenBLAS .*");
    }

    @Test
    void choosesPureJavaWithoutAWarning() throws Exception {
        final Result result = jvm("-Dbackblas.backend=java", "-Dbackblas.native.dir=" + directory).run(Probe.class);
        assertEquals(List.of("java", "java"), result.values("fastest"));
        assertTrue(result.value("product").startsWith("right"), result::toString);
        assertEquals(List.of(), warnings(result));
    }

    @Test
    void openBlasByNameIsOpenBlasOrAnException() throws Exception {
        final Result result = jvm("-Dbackblas.backend=openblas", "-Dbackblas.native.dir=" + directory).run(Probe.class);
        for (String fastest : result.values("fastest"))
            assertTrue(fastest.startsWith("IllegalStateException: OpenBLAS is not available: " + directory), fastest);
        assertEquals(List.of(), warnings(result));
    }

    @Test
    void anUnknownBackendIsRefused() throws Exception {
        final String refusal =
            "IllegalArgumentException: backend: there is none named 'cuda'; expected openblas, java, netlib or auto";
        assertEquals(List.of(refusal, refusal), jvm("-Dbackblas.backend=cuda").run(Probe.class).values("fastest"));
    }

    // --- the virtual machine ----------------------------------------------------------------------------------------

    @Natives.Required
    @EnabledForJreRange(min = JRE.JAVA_24)
    @Test
    void whereNativeAccessIsDeniedSaysWhichFlagAllowsIt() throws Exception {
        assertFallback(jvm("--illegal-native-access=deny").run(Probe.class), "--enable-native-access=ALL-UNNAMED");
    }
}
