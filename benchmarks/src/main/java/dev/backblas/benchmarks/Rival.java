package dev.backblas.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The process of an {@link Entrant} at one workload. Between its slices it is stopped as by {@code kill -STOP}: threads that
 * spin while they wait, as those of OpenMP and of thread pools do, would burn the cores of whoever has his turn.
 */
final class Rival implements AutoCloseable {

    private final Entrant entrant;
    private final List<String> command;
    private final Map<String, String> environment;
    private final Path log;
    private final Process process; // of those that stay
    private final BufferedReader answers;
    private final String description;

    /**
     * Starts it, and returns when it has been checked.
     *
     * @param environment variables of its own; an empty value unsets one
     * @throws IllegalStateException with what it said, if it fails
     */
    Rival(Entrant entrant, Workload workload, Map<String, String> environment, Path log) {
        this.entrant = entrant;
        this.environment = environment;
        this.log = log;
        command = new ArrayList<>(entrant.command());
        command.add(workload.name());
        if (entrant.once()) {
            process = null;
            answers = null;
            description = "";
        } else {
            command.add(String.valueOf(entrant.threads()));
            process = start(command);
            answers = process.inputReader(StandardCharsets.UTF_8);
            description = answer(answers);
            signal("STOP");
        }
    }

    String id() {
        return entrant.id();
    }

    boolean isOurs() {
        return entrant.name().equals(Entrant.OURS);
    }

    /** What really runs; empty if it does not say. */
    String description() {
        return description;
    }

    /** The samples per second of a slice of about so many seconds. */
    double slice(double seconds) {
        if (entrant.once()) {
            final List<String> once = new ArrayList<>(command);
            once.add(String.valueOf(seconds));
            return Double.parseDouble(answer(start(once).inputReader(StandardCharsets.UTF_8)));
        }
        signal("CONT");
        try {
            process.outputWriter(StandardCharsets.UTF_8).append(String.valueOf(seconds)).append('\n').flush();
        } catch (IOException e) {
            throw failed(e);
        }
        final double samplesPerSecond = Double.parseDouble(answer(answers));
        signal("STOP");
        return samplesPerSecond;
    }

    private Process start(List<String> command) {
        final ProcessBuilder builder = new ProcessBuilder(command).redirectError(Redirect.to(log.toFile()));
        environment.forEach((name, value) -> {
            if (value.isEmpty()) builder.environment().remove(name);
            else builder.environment().put(name, value);
        });
        builder.environment().putAll(Map.of( // what the libraries inside take their threads from
            "OMP_NUM_THREADS", String.valueOf(entrant.threads()), "OPENBLAS_NUM_THREADS", String.valueOf(entrant.threads())));
        try {
            return builder.start();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private String answer(BufferedReader lines) {
        try {
            for (String line = lines.readLine(); line != null; line = lines.readLine())
                if (line.startsWith(Slices.ANSWER)) return line.substring(Slices.ANSWER.length());
                else if (entrant.once()) return line;
        } catch (IOException e) {
            throw failed(e);
        }
        throw failed(null);
    }

    private IllegalStateException failed(Exception cause) {
        String said;
        try {
            said = Files.readString(log);
        } catch (IOException e) {
            said = "";
        }
        return new IllegalStateException("bench: " + entrant.id() + " failed\n" + said, cause);
    }

    private void signal(String signal) {
        try {
            new ProcessBuilder("kill", "-" + signal, String.valueOf(process.pid())).start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (process != null) process.destroyForcibly();
    }
}
