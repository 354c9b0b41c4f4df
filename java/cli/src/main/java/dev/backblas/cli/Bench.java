package dev.backblas.cli;

import dev.backblas.benchmarks.ShortRun;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** A few minutes of JMH: OpenBLAS against pure Java on this machine. */
@Command(name = "bench", mixinStandardHelpOptions = true,
         description = "Measure training and prediction on this machine, OpenBLAS against pure Java, with JMH.")
final class Bench implements Callable<Integer> {

    @Option(names = "--quick", description = "Shorter and less exact.")
    private boolean quick;

    @Override
    public Integer call() {
        ShortRun.run(System.out, quick);
        return 0;
    }
}
