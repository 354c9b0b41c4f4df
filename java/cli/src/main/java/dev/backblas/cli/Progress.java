package dev.backblas.cli;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A bar that moves, on a terminal; elsewhere nothing. */
final class Progress implements AutoCloseable {

    /** Whether output goes to a terminal, as the launcher saw it. */
    static final String TERMINAL = "backblas.terminal";

    private final @Nullable ProgressBar bar;

    private Progress(@Nullable ProgressBar bar) {
        this.bar = bar;
    }

    static boolean onTerminal() {
        return Boolean.getBoolean(TERMINAL);
    }

    static Progress none() {
        return new Progress(null);
    }

    /** Of a file that arrives; a length below 0 is not known. */
    static Progress bytes(String name, long length) {
        return new Progress(onTerminal() ? builder(name, length).setUnit(" MB", 1_000_000).build() : null);
    }

    /** Of samples that are worked through, in thousands, so that a message fits beside; fewer than 0 are not known. */
    static Progress samples(String name, long samples) {
        return new Progress(onTerminal()
            ? builder(name, samples).showSpeed(new DecimalFormat("#,##0.0", DecimalFormatSymbols.getInstance(Locale.ROOT)))
                .setUnit("k", 1000).build()
            : null);
    }

    private static ProgressBarBuilder builder(String name, long most) {
        return ProgressBar.builder().setTaskName(name).setInitialMax(most).setUpdateIntervalMillis(100)
            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK);
    }

    /** So much is done. */
    void to(long done) {
        if (bar != null) bar.stepTo(done);
    }

    void say(String message) {
        if (bar != null) bar.setExtraMessage(" " + message);
    }

    @Override
    public void close() {
        if (bar != null) bar.close();
    }
}
