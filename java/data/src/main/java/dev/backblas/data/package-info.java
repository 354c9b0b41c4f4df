/**
 * Files as samples for the estimators of {@code dev.backblas}: {@link dev.backblas.data.Csv}. In memory, or as a stream for those
 * that are larger:
 *
 * <pre>{@code
 * import dev.backblas.*;
 * import dev.backblas.data.Csv;
 * import java.nio.file.Path;
 * import java.util.List;
 *
 * Csv csv = Csv.of(Path.of("customers.csv")); // with the columns age, city, stays
 * TableEncoder encoder = csv.learn(csv.learner().target("stays"));
 * MlpClassifier<String> model = MlpClassifier.builder().epochs(50).rate(0.01).encoder(encoder).build();
 * model.fit(csv.stream(encoder), encoder.labels());
 * try (Csv.Rows rows = csv.open()) {
 *     TableEncoder.Rows encoded = encoder.rows(rows.header());
 *     float[] x = new float[encoder.inputs()];
 *     int right = 0, all = 0;
 *     for (List<String> row = rows.next(); row != null; row = rows.next(), all++) {
 *         encoded.inputs(rows.line(), row, x, 0);
 *         if (model.predict(x).equals(row.get(2))) right++;
 *     }
 *     System.out.printf("%.1f of %d%n", (double) right / all, all); // prints 1.0 of …
 * }
 * }</pre>
 */
@NullMarked
package dev.backblas.data;

import org.jspecify.annotations.NullMarked;
