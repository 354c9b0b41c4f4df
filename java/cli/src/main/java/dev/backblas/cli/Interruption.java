package dev.backblas.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Ctrl-C, or another request to end: what is at work is told, and the virtual machine ends when it has finished what must not be
 * lost. The shell then sees 130, or 143 after SIGTERM.
 */
final class Interruption implements AutoCloseable {

    private final CountDownLatch finished = new CountDownLatch(1);
    private final Thread hook;
    private volatile boolean requested;

    /** From now until {@link #close} a request runs {@code cancel}, on a thread of its own. */
    Interruption(Runnable cancel) {
        hook = new Thread(() -> {
            requested = true;
            cancel.run();
            try {
                finished.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }, "interruption");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    boolean isRequested() {
        return requested;
    }

    @Override
    public void close() {
        System.out.flush();
        finished.countDown();
        if (requested) return;
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException tooLate) {
            // the virtual machine is ending already
        }
    }
}
