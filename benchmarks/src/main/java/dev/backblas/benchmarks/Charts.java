package dev.backblas.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries.CategorySeriesRenderStyle;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.style.CategoryStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Pictures for the README, as SVG. The axis of values is logarithmic; a value that is null is left out. */
final class Charts {

    private static final Color[] COLORS = { // P. Tol's "bright" and "high contrast", told apart by those who see few colours
        new Color(0x4477AA), new Color(0x66CCEE), new Color(0x228833), new Color(0xCCBB44), new Color(0xEE6677),
        new Color(0xAA3377), new Color(0xBBBBBB), new Color(0x222222), new Color(0x997700), new Color(0xEECC66)};
    private static final BasicStroke DASHES =
        new BasicStroke(1.5f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {6, 4}, 0);

    private Charts() {}

    /** Groups of bars. */
    static CategoryChart bars(String title, List<String> groups, Map<String, List<Double>> series) {
        final CategoryChart chart = chart(title, 1000, CategorySeriesRenderStyle.Bar);
        series.forEach((name, values) -> chart.addSeries(name, groups, values));
        return chart;
    }

    /** Lines, and dashed ones that they cannot pass. */
    static CategoryChart lines(String title, List<String> x, Map<String, List<Double>> series, Map<String, List<Double>> limits) {
        final CategoryChart chart = chart(title, 640, CategorySeriesRenderStyle.Line);
        series.forEach((name, values) -> chart.addSeries(name, x, values).setMarker(SeriesMarkers.CIRCLE));
        limits.forEach((name, values) -> chart.addSeries(name, x, values).setMarker(SeriesMarkers.NONE)
            .setLineStyle(DASHES).setLineColor(Color.GRAY));
        return chart;
    }

    private static CategoryChart chart(String title, int width, CategorySeriesRenderStyle style) {
        final CategoryChart chart = new CategoryChartBuilder().width(width).height(400).title(title).build();
        final CategoryStyler styler = chart.getStyler();
        styler.setDefaultSeriesRenderStyle(style);
        styler.setAvailableSpaceFill(0.85);
        styler.setSeriesColors(COLORS);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setChartTitleFont(font(Font.BOLD, 15));
        styler.setLegendFont(font(Font.PLAIN, 12));
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(LegendLayout.Horizontal);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setAxisTickLabelsFont(font(Font.PLAIN, 12));
        styler.setYAxisLogarithmic(true);
        styler.setYAxisLogarithmicDecadeOnly(true);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setPlotGridLinesStroke(new BasicStroke(0.5f)); // each dash would be a path of its own
        return chart;
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    /** Writes it; the axis of values has whole powers of ten at its ends. */
    static void write(CategoryChart chart, Path svg) throws IOException {
        final DoubleSummaryStatistics decades = chart.getSeriesMap().values().stream()
            .flatMap(series -> series.getYData().stream()).filter(Objects::nonNull)
            .mapToDouble(value -> Math.log10(value.doubleValue())).summaryStatistics();
        final double first = Math.floor(decades.getMin());
        chart.getStyler().setYAxisMin(Math.pow(10, first));
        chart.getStyler().setYAxisMax(Math.pow(10, Math.max(first + 1, Math.ceil(decades.getMax()))));
        VectorGraphicsEncoder.saveVectorGraphic(chart, svg.toString(), VectorGraphicsFormat.SVG);
    }
}
