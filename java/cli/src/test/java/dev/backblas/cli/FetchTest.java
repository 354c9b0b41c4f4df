package dev.backblas.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Downloads from a server on the loopback. */
class FetchTest {

    @TempDir
    private Path directory;

    private HttpServer server;
    private String url;
    private final List<Fetch.Arrival> arrived = new ArrayList<>();
    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        url = "http://" + server.getAddress().getAddress().getHostAddress() + ":" + server.getAddress().getPort();
        server.createContext("/data/", exchange -> {
            final byte[] file = files.get(exchange.getRequestURI().getPath().substring("/data/".length()));
            asked.add(exchange.getRequestURI().getPath());
            exchange.sendResponseHeaders(file == null ? 404 : 200, file == null ? -1 : file.length);
            if (file != null) exchange.getResponseBody().write(file);
            exchange.close();
        });
        server.createContext("/moved/", exchange -> {
            exchange.getResponseHeaders().add("Location", exchange.getRequestURI().getPath().replace("moved", "data"));
            exchange.sendResponseHeaders(302, -1);
            exchange.close();
        });
        server.createContext("/short/", exchange -> { // promises more than it sends
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write(1);
            exchange.getResponseBody().flush();
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static String hash(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private Map<String, String> hashes() throws Exception {
        final Map<String, String> hashes = new TreeMap<>();
        for (Map.Entry<String, byte[]> file : files.entrySet()) hashes.put(file.getKey(), hash(file.getValue()));
        return hashes;
    }

    private List<String> written() throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void filesArriveWholeAndOnce() throws Exception {
        files.put("a.gz", "first".getBytes(StandardCharsets.UTF_8));
        files.put("b.gz", new byte[300_000]);
        Fetch.fetch("set", hashes(), List.of(url + "/moved"), directory, arrived::add);
        assertEquals(List.of("a.gz", "b.gz"), written());
        assertArrayEquals(files.get("b.gz"), Files.readAllBytes(directory.resolve("b.gz")));
        assertEquals(2, asked.size());
        Files.writeString(directory.resolve("a.gz"), "damaged");
        Fetch.fetch("set", hashes(), List.of(url + "/data"), directory, arrived::add);
        assertEquals("first", Files.readString(directory.resolve("a.gz")));
        assertEquals(3, asked.size(), "only what was damaged is fetched again");
        assertEquals(List.of("a.gz from /data/a.gz", "b.gz from /data/b.gz", "a.gz from /data/a.gz", "b.gz from nowhere"),
            arrived.stream().map(file -> file.file().getFileName() + " from "
                + (file.from() == null ? "nowhere" : file.from().getPath().replace("moved", "data"))).toList());
        assertEquals(300_000, arrived.get(3).bytes());
    }

    @Test
    void theNextMirrorIsAsked() throws Exception {
        files.put("a.gz", "first".getBytes(StandardCharsets.UTF_8));
        for (String first : List.of("/none", "/short")) {
            Fetch.fetch("set", hashes(), List.of(url + first, url + "/data"), directory, arrived::add);
            assertEquals(List.of("a.gz"), written());
            Files.delete(directory.resolve("a.gz"));
        }
    }

    @Test
    void whatIsWrongIsSaid() throws Exception {
        final String without = "; to do without: put the .gz files of mnist into " + directory
            + " by hand, name another place with --mirror URL, or train digits, which comes with Backblas";
        final String file = "/t10k-images-idx3-ubyte.gz";
        final String known = "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6";
        files.put(file.substring(1), new byte[] {1, 2, 3});
        refused("data fetch: " + url + "/data" + file + ": its SHA-256 is " + hash(new byte[] {1, 2, 3}) + "; expected " + known
                    + without, "mnist", "--mirror", url + "/data");
        refused("data fetch: " + url + "/none" + file + ": the server answers 404" + without,
                "mnist", "--mirror", url + "/none/");
        server.stop(0);
        refused("data fetch: " + url + file + ": no connection" + without, "mnist", "--mirror", url);
        refused("data fetch: --mirror is 'ftp://x'; expected http://… or https://…", "mnist", "--mirror", "ftp://x");
        refused("data fetch: --mirror is 'a b'; expected http://… or https://…", "mnist", "--mirror", "a b");
        refused("data fetch: there is no 'cifar'; expected mnist or fashion-mnist", "cifar");
        refused("data fetch: there is no 'minst'; expected mnist or fashion-mnist; did you mean mnist?", "minst");
        assertEquals(List.of(), written());
    }

    private void refused(String sentence, String... arguments) {
        final CommandLineTest.Ran ran = CommandLineTest.run(
            Stream.concat(Stream.of("data", "fetch", "--to", directory.toString()), Stream.of(arguments)).toArray(String[]::new));
        assertEquals("backblas: " + sentence + "\n", ran.err());
        assertEquals(Main.WRONG_INPUT, ran.exit());
    }

    @Test
    void nothingIsFetchedUnasked() {
        final CommandLineTest.Ran ran = CommandLineTest.run("train", directory.resolve("mnist").toString());
        assertEquals(Main.WRONG_INPUT, ran.exit());
        assertTrue(CommandLineTest.run("data").out().contains("./backblas data fetch mnist"));
        assertThrows(IllegalArgumentException.class, () -> Fetch.Source.named("MNIST"));
    }
}
