package dev.backblas.cli;

import dev.backblas.Preset;
import dev.backblas.backend.Activation;
import dev.backblas.benchmarks.Workload;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExitCodeExceptionMapper;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** {@code backblas COMMAND}; see {@link #exitCode} for how it ends. */
@Command(name = "backblas", mixinStandardHelpOptions = true, version = "backblas 0.1.0",
         description = "Dense neural networks on the JVM at the speed of the machine.",
         subcommands = {Train.class, Predict.class, Evaluate.class, Inspect.class, Data.class, Doctor.class, Bench.class,
                        Nielsen.class, GenerateCompletion.class},
         synopsisSubcommandLabel = "COMMAND", exitCodeListHeading = "%nExit codes:%n",
         exitCodeList = {"0:done", "1:a fault of ours; from doctor: something is wrong with the machine",
                         "2:what was asked cannot be done, and a sentence says why",
                         "130:ended by Ctrl-C; what was trained until then is written",
                         "141:nobody reads the predictions any more, as behind | head",
                         "143:ended by SIGTERM, likewise"})
public final class Main implements Runnable {

    static final int WRONG_INPUT = 2;

    /** What a hidden layer can have. */
    private static final List<Activation> HIDDEN =
        Arrays.stream(Activation.values()).filter(activation -> activation != Activation.SOFTMAX).toList();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
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
            .registerConverter(int.class, text -> number(text, Integer::valueOf, "a whole number"))
            .registerConverter(Integer.class, text -> number(text, Integer::valueOf, "a whole number"))
            .registerConverter(long.class, text -> number(text, Long::valueOf, "a whole number"))
            .registerConverter(double.class, text -> number(text, Double::valueOf, "a number"))
            .registerConverter(Double.class, text -> number(text, Double::valueOf, "a number"))
            .registerConverter(Preset.class, text -> chosen(text, List.of(Preset.values())))
            .registerConverter(Workload.class, text -> chosen(text, List.of(Workload.values())))
            .registerConverter(Activation.class, text -> chosen(text, HIDDEN))
            .setParameterExceptionHandler((e, arguments) -> {
                say(explained(e) + " (see backblas " + path(e.getCommandLine()) + "--help)");
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

    private static <T> T number(String text, Function<String, T> parse, String what) {
        try {
            return parse.apply(text.strip());
        } catch (NumberFormatException e) {
            throw new TypeConversionException("'" + text + "' is not " + what
                + (text.matches("[-+]?\\d{10,}") ? " that fits; expected a smaller one" : ""));
        }
    }

    private static <E extends Enum<E>> E chosen(String text, List<E> constants) {
        try {
            return Choice.of(text, constants);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static String explained(ParameterException e) {
        if (!(e instanceof UnmatchedArgumentException unmatched)) return e.getMessage();
        final String first = unmatched.getUnmatched().get(0), option = first.replaceFirst("=.*", "");
        final CommandLine command = e.getCommandLine();
        if (first.startsWith("-"))
            return "there is no option " + option + Choice.meant(option, command.getCommandSpec().optionsMap().keySet());
        return command.getSubcommands().isEmpty() ? "'" + first + "' is one argument too many"
            : "there is no command '" + first + "'" + Choice.meant(first, command.getSubcommands().keySet());
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
