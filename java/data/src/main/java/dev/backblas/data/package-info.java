/** Files as samples for the estimators of {@link dev.backblas}: {@link dev.backblas.data.Csv}. */
@NullMarked
package dev.backblas.data;

import org.jspecify.annotations.NullMarked;
