package dev.backblas.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExitCodeExceptionMapper;

/** {@code backblas COMMAND}; see {@link #exitCode} for how it ends. */
@Command(name = "backblas", mixinStandardHelpOptions = true, version = "backblas 0.1.0",
         description = "Dense neural networks on the JVM at the speed of the machine.",
         subcommands = {Train.class, Predict.class, Evaluate.class, Inspect.class, Data.class, Doctor.class, Bench.class,
                        Nielsen.class, GenerateCompletion.class},
         synopsisSubcommandLabel = "COMMAND", exitCodeListHeading = "%nExit codes:%n",
         exitCodeList = {"0:done", "1:a fault of ours; from doctor: something is wrong with the machine",
                         "2:what was asked cannot be done, and a sentence says why",
                         "130:ended by Ctrl-C; what was trained until then is written",
                         "143:ended by SIGTERM, likewise"})
public final class Main implements Runnable {

    static final int WRONG_INPUT = 2;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
            spec.commandLine(), "name a command: train, predict, evaluate, inspect, data, doctor or bench");
    }

    public static void main(String[] args) {
        int exit;
        try {
            exit = run(args);
        } catch (OutOfMemoryError e) {
            say("not enough memory (" + e.getMessage() + "): use smaller layers, a smaller batch or fewer threads, or set "
                + "BACKBLAS_JAVA_OPTS=-Xmx…");
            exit = WRONG_INPUT;
        }
        System.exit(exit);
    }

    /** Runs a command line and returns its exit code. */
    static int run(String... args) {
        Locale.setDefault(Locale.ROOT); // figures are printed alike everywhere
        return new CommandLine(new Main())
            .setExpandAtFiles(false)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler((e, arguments) -> {
                say(e.getMessage() + " (see backblas " + path(e.getCommandLine()) + "--help)");
                return WRONG_INPUT;
            })
            .setExecutionExceptionHandler((e, command, result) -> {
                if (!isTheirs(e)) throw e;
                say(e instanceof UncheckedIOException ? e.getCause().getMessage() : e.getMessage());
                return WRONG_INPUT;
            })
            .setExitCodeExceptionMapper(exitCode())
            .execute(args);
    }

    /** 1 for a fault of ours, 2 for a fault in what was asked. */
    private static IExitCodeExceptionMapper exitCode() {
        return e -> isTheirs(e) ? WRONG_INPUT : 1;
    }

    /** What the library throws for bad input, with a sentence that stands alone. */
    private static boolean isTheirs(Throwable e) {
        return e.getMessage() != null
            && (e instanceof IllegalArgumentException || e instanceof IllegalStateException || e instanceof IOException
                || e instanceof UncheckedIOException);
    }

    private static String path(CommandLine command) {
        return command.getParent() == null ? "" : command.getCommandName() + " ";
    }

    private static void say(String sentence) {
        System.err.println("backblas: " + sentence);
    }
}
