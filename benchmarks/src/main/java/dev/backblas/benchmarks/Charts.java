package dev.backblas.benchmarks;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Pictures for the README, as SVG. */
final class Charts {

    private static final Color[] COLORS = { // told apart by those who see few colours (P. Tol's "bright", and black)
        new Color(0x4477AA), new Color(0x66CCEE), new Color(0x228833), new Color(0xCCBB44), new Color(0xEE6677),
        new Color(0xAA3377), new Color(0xBBBBBB), new Color(0x222222), new Color(0x997700), new Color(0xEECC66)};

    private Charts() {}

    /** Groups of bars on a logarithmic axis; a null is no bar. */
    static Chart<?, ?> bars(String title, List<String> groups, Map<String, List<Double>> series) {
        final CategoryChart chart = new CategoryChartBuilder().width(1000).height(420).title(title).build();
        style(chart.getStyler(), LegendLayout.Horizontal);
        chart.getStyler().setAvailableSpaceFill(0.85);
        chart.getStyler().setYAxisLogarithmic(true);
        final double least = series.values().stream().flatMap(List::stream).filter(Objects::nonNull)
            .min(Double::compare).orElse(1.0);
        chart.getStyler().setYAxisMin(Math.pow(10, Math.floor(Math.log10(least)))); // else the bars would begin at 0
        series.forEach((name, values) -> chart.addSeries(name, groups, values));
        return chart;
    }

    /** Lines over two logarithmic axes; those named {@code limits} are dashed and have no points. */
    static Chart<?, ?> lines(String title, String x, String y, Map<String, SortedMap<Integer, Double>> series,
                             Map<String, SortedMap<Integer, Double>> limits) {
        final XYChart chart = new XYChartBuilder().width(500).height(360).title(title).xAxisTitle(x).yAxisTitle(y).build();
        style(chart.getStyler(), LegendLayout.Vertical);
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisLogarithmic(true);
        series.forEach((name, points) -> add(chart, name, points).setMarker(SeriesMarkers.CIRCLE));
        limits.forEach((name, points) -> add(chart, name, points).setMarker(SeriesMarkers.NONE)
            .setLineStyle(new BasicStroke(1, BasicStroke.CAP_BUTT, BasicStroke.JOIN_MITER, 10, new float[] {6, 4}, 0)));
        return chart;
    }

    private static XYSeries add(XYChart chart, String name, SortedMap<Integer, Double> points) {
        return chart.addSeries(name, List.copyOf(points.keySet()), List.copyOf(points.values()));
    }

    private static void style(AxesChartStyler styler, LegendLayout legend) {
        styler.setSeriesColors(COLORS);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setLegendPosition(LegendPosition.OutsideS);
        styler.setLegendLayout(legend);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setPlotGridLinesStroke(new BasicStroke(0.5f)); // a dash would be a path of its own
        styler.setYAxisLogarithmicDecadeOnly(false);
    }

    static void write(Chart<?, ?> chart, Path svg) throws IOException {
        VectorGraphicsEncoder.saveVectorGraphic(chart, svg.toString(), VectorGraphicsFormat.SVG);
    }
}
