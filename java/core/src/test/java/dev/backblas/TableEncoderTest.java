package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.TableEncoder.Column;
import dev.backblas.TableEncoder.Learner;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TableEncoderTest {

    private static final List<String> HEADER = List.of("age", "city", "kind");

    private static Learner learner() {
        return TableEncoder.learner(HEADER)
            .add(2, List.of("30", "Rome", "b")).add(3, List.of("41.5", "Paris", "a")).add(4, List.of(" -1e2 ", "Rome", "b"));
    }

    @Test
    void columnsAreNumbersOrTexts() {
        final TableEncoder encoder = learner().encoder();
        assertEquals(List.of(new Column("age", List.of()), new Column("city", List.of("Paris", "Rome"))), encoder.columns());
        assertEquals(List.of("a", "b"), encoder.labels());
        assertEquals(List.of("age", "city=Paris", "city=Rome"), encoder.inputNames());
        assertEquals(3, encoder.inputs());
        assertTrue(encoder.isClassification());
    }

    @Test
    void rowsAreReadByTheNamesOfTheirColumns() {
        final TableEncoder.Rows rows = learner().encoder().rows(List.of("more", "kind", "city", "age"));
        final float[] x = {9, 9, 9, 9, 9}, y = {9};
        rows.inputs(2, List.of("", "b", "Rome", "7"), x, 1);
        rows.targets(2, List.of("", "b", "Rome", "7"), y, 0);
        assertArrayEquals(new float[] {9, 7, 0, 1, 9}, x);
        assertArrayEquals(new float[] {1}, y);
        assertEquals(0, rows.unseen());
        rows.inputs(3, List.of("", "", " Oslo ", "8"), x, 1);
        assertArrayEquals(new float[] {9, 8, 0, 0, 9}, x, "a city that was not seen");
        assertEquals(1, rows.unseen());
        rows.inputs(4, List.of("", "", "", "8"), x, 1);
        assertArrayEquals(new float[] {9, 8, 0, 0, 9}, x, "an empty field");
        assertEquals(1, rows.unseen(), "which is no text");
        assertTrue(rows.hasTargets());
        assertFalse(learner().encoder().rows(List.of("age", "city")).hasTargets());
    }

    @Test
    void theTargetDecidesWhatIsLearned() {
        final Function<Function<Learner, Learner>, TableEncoder> numbers = told -> {
            final Learner learner = told.apply(TableEncoder.learner(List.of("x", "y", "w")));
            for (int i = 0; i < 30; i++) learner.add(i, List.of("" + i, "" + (i % 11), "0." + i));
            return learner.encoder();
        };
        assertEquals(List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
                     numbers.apply(learner -> learner.target("y")).labels(), "few whole numbers are classes, in their order");
        assertFalse(numbers.apply(learner -> learner.target("x")).isClassification(), "30 numbers are a quantity");
        assertFalse(numbers.apply(learner -> learner.target("w")).isClassification(), "so are fractions");
        assertFalse(numbers.apply(learner -> learner).isClassification(), "the last column unless set");
        assertEquals(30, numbers.apply(learner -> learner.classes("x")).labels().size());
        assertEquals(2, numbers.apply(learner -> learner.quantities("y", "x")).outputs());
        rejected("no column is left to predict x, y from; expected 1 or more; left out: w (dropped)",
                 () -> numbers.apply(learner -> learner.quantities("y", "x").drop("w")));
    }

    @Test
    void weightsAreNoInput() {
        final TableEncoder encoder = learner().weight("age").encoder();
        assertEquals(List.of("city=Paris", "city=Rome"), encoder.inputNames());
        assertEquals(2.5f, encoder.rows(HEADER).weight(2, List.of("2.5", "Rome", "a")));
        rejected("line 2, column 'age': the weight is -1.0; expected 0 or more",
                 () -> encoder.rows(HEADER).weight(2, List.of("-1", "Rome", "a")));
    }

    @Test
    void namesAreNoCategories() {
        final Learner learner = TableEncoder.learner(List.of("id", "code", "note", "x", "y"));
        for (int i = 0; i < 3000; i++)
            learner.add(i, List.of("person " + i, "" + i % 7, "", "1." + i, i % 2 == 0 ? "yes" : "no"));
        final TableEncoder encoder = learner.text("code").encoder();
        assertEquals(Map.of("id", "it has more than 1000 different texts", "note", "it is empty"), encoder.leftOut());
        assertEquals(8, encoder.inputs());
        final Learner few = TableEncoder.learner(List.of("name", "x", "y"));
        IntStream.range(0, 40).forEach(i -> few.add(i, List.of("person " + i, "1." + i, "" + i % 2)));
        assertEquals(Map.of("name", "it has 40 different texts in 40 rows, as names have"), few.encoder().leftOut());
        assertEquals(41, few.text("name").encoder().inputs(), "unless told");
        final Learner odd = TableEncoder.learner(List.of("", "size", "y"));
        IntStream.range(0, 40).forEach(i -> odd.add(i, List.of("" + i, i == 7 ? "inf" : "1." + i, "" + i % 2)));
        odd.drop("size").quantities("y");
        rejected("no column is left to predict y from; expected 1 or more; left out:  (it has no name, as numbers of rows have), "
                     + "size (dropped)", odd::encoder);
        final Learner bad = TableEncoder.learner(List.of("x", "size", "y"));
        IntStream.range(0, 40).forEach(i -> bad.add(i, List.of("" + i, i == 7 ? "inf" : "1." + i, "" + i % 2)));
        assertEquals(Map.of("size", "it has 40 different texts in 40 rows, as names have; 'inf' is none of its numbers"),
                     bad.encoder().leftOut());
    }

    @Test
    void gapsAreRefusedWithTheirPlace() {
        rejected("line 5, column 'age': the field is empty, the first of 2 of this column; expected a value (fill it in, or "
                + "leave out the row or the column)",
            () -> learner().add(5, List.of("", "Rome", "a")).add(6, List.of("NA", "Rome", "a")).encoder());
        final TableEncoder.Rows rows = learner().encoder().rows(HEADER);
        final float[] x = new float[3];
        rejected("line 9, column 'age': the field is empty; expected a number",
                 () -> rows.inputs(9, List.of(" ", "Rome", "a"), x, 0));
        for (String bad : new String[] {"NaN", "1f", "0x1p3", "Infinity", "1e99", "twelve", "1,5"})
            rejected("line 9, column 'age': '" + bad + "' is not a number",
                     () -> rows.inputs(9, List.of(bad, "Rome", "a"), x, 0));
        rejected("line 9, column 'kind': 'c' is none of the classes that were learned",
                 () -> rows.targets(9, List.of("1", "Rome", "c"), x, 0));
        rejected("line 9: it has 1 field; expected 3, as the header has (one spans lines: is a quote not closed?)",
                 () -> rows.inputs(9, List.of("1,Rome\n2,Rome"), x, 0));
        rejected("line 9: it has 2 fields; expected 3, as the header has", () -> rows.inputs(9, List.of("1", "Rome"), x, 0));
        rejected("line 9: it has 4 fields; expected 3, as the header has", () -> learner().add(9, List.of("", "", "", "")));
    }

    @Test
    void wrongColumnsAreRefused() {
        rejected("two columns are named 'a'; expected one", () -> TableEncoder.learner(List.of("a", "b", "a")));
        rejected("there is no column 'z'; the columns are age, city, kind", () -> learner().target("z"));
        rejected("there is no row; expected 1 or more", () -> TableEncoder.learner(HEADER).encoder());
        rejected("the target 'city' holds texts, such as 'Rome'; expected numbers",
                 () -> TableEncoder.learner(HEADER).quantities("city").add(1, List.of("1", "Rome", "x")).encoder());
        rejected("there is no column 'city', which the model needs; the columns are age, town",
                 () -> learner().encoder().rows(List.of("age", "town")));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
