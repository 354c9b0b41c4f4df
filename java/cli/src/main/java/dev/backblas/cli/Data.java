package dev.backblas.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What there is to train on. */
@Command(name = "data", mixinStandardHelpOptions = true, subcommands = Fetch.class,
         description = "Say what there is to train on; download a public data set.")
final class Data implements Callable<Integer> {

    @Option(names = "--json", description = "A JSON object a line instead of text.")
    private boolean json;

    /**
     * A data set, or a kind of them.
     *
     * @param name what train takes for it
     * @param how  to come by it
     */
    private record Offer(String name, String about, String how) {}

    private static final List<Offer> OFFERS = List.of(
        new Offer("digits", "1,797 images of 8x8 pixels, 10 classes", "comes with Backblas"),
        new Offer("boston", "506 rows, 13 numbers and a price", "comes with Backblas"),
        new Offer("FILE.csv", "a header line and rows of numbers and texts, gzipped or not", "the last column is the target, or "
            + "--target names it"),
        new Offer("DIRECTORY", "four IDX files of images and labels, gzipped or not", "as of MNIST"),
        new Offer("mnist", "60,000 + 10,000 images of 28x28 pixels, 10 digits (11 MB)", "./backblas data fetch mnist"),
        new Offer("fashion-mnist", "60,000 + 10,000 images of 28x28 pixels, 10 garments (31 MB)",
                  "./backblas data fetch fashion-mnist"));

    @Override
    public Integer call() {
        for (Offer offer : OFFERS)
            if (json) Json.print("name", offer.name, "about", offer.about, "how", offer.how);
            else System.out.printf("%-14s %s: %s%n", offer.name, offer.about, offer.how);
        return 0;
    }
}
