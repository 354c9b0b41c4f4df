package dev.backblas.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Downloads a public data set; nothing else here ever opens a connection. What arrives must have the hash that is known. */
@Command(name = "fetch", mixinStandardHelpOptions = true, sortOptions = false,
         description = "Download MNIST or Fashion-MNIST (11 or 31 MB) from a public mirror and check what arrives.")
final class Fetch implements Callable<Integer> {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** A public data set: four gzipped IDX files, where they lie, and the SHA-256 of each. */
    enum Source {
        MNIST(List.of("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
              "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
              "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
              "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
              "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        FASHION_MNIST(List.of("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
                              "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
                      "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                      "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                      "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                      "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5");

        private final List<String> mirrors;
        private final Map<String, String> hashes = new TreeMap<>();

        Source(List<String> mirrors, String... hashes) {
            this.mirrors = mirrors;
            final String[] files = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
                                    "t10k-labels-idx1-ubyte.gz"};
            for (int i = 0; i < files.length; i++) this.hashes.put(files[i], hashes[i]);
        }

        static Source named(String name) {
            for (Source source : values()) if (source.toString().equals(name)) return source;
            throw new IllegalArgumentException("data fetch: there is no '" + name + "'; expected "
                + Choice.expected(name, Arrays.stream(values()).map(Source::toString).toList()));
        }

        @Override
        public String toString() {
            return name().toLowerCase().replace('_', '-');
        }
    }

    @Parameters(index = "0", paramLabel = "NAME", description = "mnist or fashion-mnist.")
    private String name;

    @Option(names = "--to", paramLabel = "DIR", description = "Where the files go; a directory NAME unless set.")
    private @Nullable Path to;

    @Option(names = "--mirror", paramLabel = "URL", description = "Where the four files lie, in place of the public mirrors.")
    private @Nullable String mirror;

    @Option(names = "--json", description = "A JSON object for each file instead of text.")
    private boolean json;

    @Override
    public Integer call() throws IOException, InterruptedException {
        final Source source = Source.named(name);
        final Path directory = to == null ? Path.of(name) : to;
        fetch(name, source.hashes, mirror == null ? source.mirrors : List.of(mirror), directory,
              json ? Fetch::print : Fetch::say);
        if (!json)
            System.out.printf("%s: all four files have the hash that is known; next: ./backblas train %s%n", directory,
                              directory);
        return 0;
    }

    /**
     * A file that is there, with the hash that is known.
     *
     * @param from where it came from; null if it was there already
     */
    record Arrival(Path file, long bytes, @Nullable URI from, String hash) {}

    private static void print(Arrival arrival) {
        Json.print("file", arrival.file.toString(), "bytes", arrival.bytes, "sha256", arrival.hash, "from",
                   arrival.from == null ? null : arrival.from.toString());
    }

    private static void say(Arrival arrival) {
        if (arrival.from == null) System.out.printf("%s is there already%n", arrival.file);
        else System.out.printf("%s: %,d bytes from %s%n", arrival.file, arrival.bytes, arrival.from.getHost());
    }

    /** Brings files into a directory, each from the first mirror that has it, and checks its SHA-256. */
    static void fetch(String name, Map<String, String> hashes, List<String> mirrors, Path directory, Consumer<Arrival> told)
        throws IOException, InterruptedException {
        final List<URI> bases = new ArrayList<>();
        for (String url : mirrors) bases.add(base(url));
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new IOException(directory + ": no directory can be made of this name", e);
        }
        final HttpClient client = HttpClient.newBuilder().followRedirects(Redirect.NORMAL).connectTimeout(PATIENCE).build();
        for (Map.Entry<String, String> file : hashes.entrySet()) {
            final Path target = directory.resolve(file.getKey());
            final boolean there = Files.isRegularFile(target) && hash(target).equals(file.getValue());
            final URI from = there ? null : fetch(name, client, bases, target, file.getValue());
            told.accept(new Arrival(target, Files.size(target), from, file.getValue()));
        }
    }

    private static URI base(String url) {
        final URI uri;
        try {
            uri = URI.create(url.endsWith("/") ? url : url + "/");
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("data fetch: --mirror is '" + url + "'; expected http://… or https://…", e);
        }
        if (uri.getHost() == null || !List.of("http", "https").contains(uri.getScheme()))
            throw new IllegalArgumentException("data fetch: --mirror is '" + url + "'; expected http://… or https://…");
        return uri;
    }

    /** Brings one file from the first mirror that has it, and says from where. */
    private static URI fetch(String name, HttpClient client, List<URI> mirrors, Path target, String hash)
        throws IOException, InterruptedException {
        final List<String> failures = new ArrayList<>();
        for (URI base : mirrors) {
            final URI uri = base.resolve(target.getFileName().toString());
            final Path part = target.resolveSibling(target.getFileName() + ".part");
            try {
                download(client, uri, part);
                final String found = hash(part);
                if (found.equals(hash)) {
                    Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
                    return uri;
                }
                failures.add(uri + ": its SHA-256 is " + found + "; expected " + hash);
            } catch (IOException e) {
                failures.add(uri + ": " + (e instanceof ConnectException ? "no connection"
                    : e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage()));
            } finally {
                Files.deleteIfExists(part);
            }
        }
        throw new IOException("data fetch: " + String.join("; ", failures) + "; to do without: put the .gz files of " + name
            + " into " + target.getParent() + " by hand, name another place with --mirror URL, or train digits, which comes with "
            + "Backblas");
    }

    private static void download(HttpClient client, URI uri, Path part) throws IOException, InterruptedException {
        final HttpResponse<InputStream> response =
            client.send(HttpRequest.newBuilder(uri).timeout(PATIENCE).build(), BodyHandlers.ofInputStream());
        try (InputStream in = response.body(); OutputStream out = Files.newOutputStream(part)) {
            if (response.statusCode() != 200) throw new IOException("the server answers " + response.statusCode());
            final long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
            try (Progress progress = Progress.bytes(uri.getPath().replaceFirst(".*/", ""), length)) {
                final byte[] buffer = new byte[1 << 16];
                long all = 0;
                for (int n; (n = in.read(buffer)) >= 0; progress.to(all += n)) out.write(buffer, 0, n);
            }
        }
    }

    private static String hash(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            final MessageDigest digest = MessageDigest.getInstance("SHA-256");
            final byte[] buffer = new byte[1 << 16];
            for (int n; (n = in.read(buffer)) >= 0; ) digest.update(buffer, 0, n);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
