package dev.backblas.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** What there is to train on. */
@Command(name = "data", mixinStandardHelpOptions = true, subcommands = Fetch.class,
         description = "Say what there is to train on; download a public data set.")
final class Data implements Callable<Integer> {

    @Override
    public Integer call() {
        System.out.print("""
            digits         1,797 images of 8x8 pixels, 10 classes; comes with Backblas
            boston         506 rows, 13 numbers and a price; comes with Backblas
            FILE.csv       a header line and rows of numbers and texts, gzipped or not; the last column is the target unless
                           --target names another
            DIRECTORY      four IDX files of images and labels, gzipped or not, as of MNIST
            mnist          60,000 + 10,000 images of 28x28 pixels, 10 digits (11 MB): ./backblas data fetch mnist
            fashion-mnist  60,000 + 10,000 images of 28x28 pixels, 10 garments (31 MB): ./backblas data fetch fashion-mnist
            """);
        return 0;
    }
}
