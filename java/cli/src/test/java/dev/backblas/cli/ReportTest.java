package dev.backblas.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Opens reports in Chromium. {@code -Dbrowser=false} leaves these tests out; the screenshots stay in {@code target/report}. */
@DisabledIfSystemProperty(named = "backblas.test.browser", matches = "false")
class ReportTest {

    private static final Path SCREENSHOTS = Path.of("target/report");
    private static final int DESKTOP = 1280, PHONE = 390;

    private static ChromeDriver browser;

    @TempDir
    private static Path profile;

    @TempDir
    private Path directory;

    @BeforeAll
    static void start() {
        final Path driver = program("chromedriver"), chromium = program("chromium", "chromium-browser", "google-chrome");
        final LoggingPreferences console = new LoggingPreferences();
        console.enable(LogType.BROWSER, Level.ALL);
        final ChromeOptions options = new ChromeOptions().setBinary(chromium.toFile()).addArguments(
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--user-data-dir=" + profile);
        options.setCapability("goog:loggingPrefs", console);
        browser = new ChromeDriver(new ChromeDriverService.Builder().usingDriverExecutable(driver.toFile()).build(), options);
    }

    private static Path program(String... names) {
        for (String name : names)
            for (String place : System.getenv("PATH").split(File.pathSeparator)) {
                final Path file = Path.of(place, name);
                if (Files.isExecutable(file)) return file;
            }
        throw new IllegalStateException(
            names[0] + " is not on the path: install it (Debian, Ubuntu: apt-get install chromium chromium-driver), or leave the "
                + "tests in a browser out with -Dbrowser=false");
    }

    @AfterAll
    static void stop() {
        if (browser != null) browser.quit();
    }

    /** Opens a page at a width; nothing may be on the console, and nothing reach beyond the window. */
    private void open(Path page, int width) throws IOException {
        browser.executeCdpCommand("Emulation.setDeviceMetricsOverride",
                                  Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", width == PHONE));
        browser.get(page.toUri().toString());
        final List<LogEntry> said = browser.manage().logs().get(LogType.BROWSER).getAll();
        assertEquals(List.of(), said, "on the console");
        assertEquals((long) width, browser.executeScript("return document.documentElement.scrollWidth"), "wider than the window");
        final Long height = (Long) browser.executeScript("return document.documentElement.scrollHeight");
        browser.executeCdpCommand("Emulation.setDeviceMetricsOverride",
                                  Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width == PHONE));
        Files.createDirectories(SCREENSHOTS);
        final String name = page.getFileName().toString().replace(".html", "-" + width + ".png");
        Files.copy(browser.getScreenshotAs(OutputType.FILE).toPath(), SCREENSHOTS.resolve(name),
                   StandardCopyOption.REPLACE_EXISTING);
    }

    private int count(String selector) {
        return browser.findElements(By.cssSelector(selector)).size();
    }

    private Path train(String name, String... arguments) {
        final Path page = directory.resolve(name + ".html");
        final List<String> command = new ArrayList<>(List.of("train"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--report", page.toString(), "--out", directory.resolve(name + ".safetensors").toString()));
        final CommandLineTest.Ran ran = CommandLineTest.run(command.toArray(String[]::new));
        assertEquals(0, ran.exit(), ran.err());
        assertTrue(ran.out().endsWith("wrote " + page + ", a page for a browser\n"), ran.out());
        return page;
    }

    @Test
    void imagesAreShown() throws IOException {
        final Path page = train("digits", "digits");
        for (int width : new int[] {DESKTOP, PHONE}) {
            open(page, width);
            assertEquals("digits", browser.findElement(By.tagName("h1")).getText());
            assertEquals(4, count(".chart svg"), "charts");
            assertTrue(count(".chart svg path") > 20, "lines in them");
            assertEquals(100, count(".confusion tbody td:not(.apart)"));
            assertEquals(64, count(".tiles img"));
            assertTrue(count(".mistakes img") > 0);
            assertEquals(0L, browser.executeScript(
                "return [...document.images].filter(image => !image.complete || image.naturalWidth !== 8).length"));
        }
    }

    @Test
    void quantitiesAreShown() throws IOException {
        final Path page = train("boston", "boston");
        for (int width : new int[] {DESKTOP, PHONE}) {
            open(page, width);
            assertEquals(5, count(".chart svg"), "charts");
            assertEquals(24, count(".rows tbody tr"));
            assertEquals(4 + 14, count(".rows thead th"), "every column of the table");
            assertEquals(0, count(".confusion"));
        }
    }

    @Test
    void severalTargetsAreShown() throws IOException {
        final StringBuilder csv = new StringBuilder("x,y,sum,less,right,upper\n");
        for (int i = 0; i < 200; i++) {
            final int x = i % 17 - 8, y = i % 13 - 6;
            csv.append(x).append(',').append(y).append(',').append(x + y + 0.5).append(',').append(x - y).append(',')
                .append(x > 0 ? 1 : 0).append(',').append(y > 0 ? 1 : 0).append('\n');
        }
        final String file = Files.writeString(directory.resolve("several.csv"), csv).toString();
        final Path quantities = train("quantities", file, "--target", "sum,less", "--drop", "right,upper", "--epochs", "20");
        final Path labels = train("labels", file, "--target", "right,upper", "--drop", "sum,less", "--epochs", "2");
        for (int width : new int[] {DESKTOP, PHONE}) {
            open(quantities, width);
            assertEquals(2 + 2 * 3, count(".chart svg"), "charts");
            assertEquals(24, count(".rows tbody tr"));
            assertEquals(0, count(".warning"));
            open(labels, width);
            assertEquals(4, count(".chart svg"), "charts");
            assertEquals("right", browser.findElements(By.cssSelector(".rows tbody td")).get(0).getText());
        }
    }

    @Test
    void whatLearnsNothingIsSaid() throws IOException {
        open(train("absurd", "boston", "--rate", "1e9", "--epochs", "3"), PHONE);
        assertTrue(browser.findElement(By.cssSelector(".warning")).getText().startsWith("Training does not converge: "));
    }

    /** Texts of any kind come out as texts: in a page, in its script, in a chart. */
    @Test
    void nothingInATableBecomesMarkup() throws IOException {
        final String[] labels = {"<img src=x onerror=console.error(1)>", "</script><b>", "a,\"b\" & c"};
        final StringBuilder csv = new StringBuilder("x,\"<i>kind</i>\",what\n");
        for (int i = 0; i < 120; i++)
            csv.append(i % 7).append(',').append("<u>").append(i % 2).append("</u>,\"")
                .append(labels[i % 3].replace("\"", "\"\"")).append("\"\n");
        final Path file = Files.writeString(directory.resolve("markup.csv"), csv);
        final Path page = train("markup", file.toString(), "--epochs", "3");
        for (int width : new int[] {DESKTOP, PHONE}) {
            open(page, width);
            assertEquals(0, count("main i, main u, .confusion img, .rows img"));
            assertEquals(labels[1], browser.findElements(By.cssSelector(".confusion tbody th")).get(0).getText());
        }
    }

    /** More classes than a table of all against all can show. */
    @Test
    void manyClassesAreListed() throws IOException {
        final StringBuilder csv = new StringBuilder("x,y,what\n");
        for (int i = 0; i < 900; i++)
            csv.append(i % 31).append(',').append(i % 5).append(",class ").append(i % 30).append('\n');
        final Path page = train("many", Files.writeString(directory.resolve("many.csv"), csv).toString(), "--epochs", "2");
        open(page, DESKTOP);
        assertEquals(0, count(".confusion"));
        assertEquals(15, browser.findElements(By.cssSelector("section:nth-of-type(2) .rows tbody tr")).size());
        open(page, PHONE);
    }
}
