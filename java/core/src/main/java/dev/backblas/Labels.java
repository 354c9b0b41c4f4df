package dev.backblas;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** The labels of classes, and the targets that stand for them. */
final class Labels {

    /** In a message. */
    private static final int MOST = 8;

    private Labels() {}

    /** The different labels of some rows: in their order where they can be compared, else as they appear. */
    static <L> List<L> classes(String operation, List<? extends L> labels) {
        for (int i = 0; i < Objects.requireNonNull(labels, "labels").size(); i++)
            if (labels.get(i) == null)
                throw new IllegalArgumentException(operation + ": the label of row " + i + " is null; expected one");
        return sorted(new LinkedHashSet<>(labels));
    }

    /** The same of rows that may have several labels, or none. */
    static <L> List<L> classesOfSeveral(String operation, List<? extends Collection<? extends L>> labels) {
        final Collection<L> all = new LinkedHashSet<>();
        for (int i = 0; i < Objects.requireNonNull(labels, "labels").size(); i++) {
            final Collection<? extends L> ofRow = labels.get(i);
            if (ofRow == null)
                throw new IllegalArgumentException(
                    operation + ": the labels of row " + i + " are null; expected none or several");
            if (ofRow.stream().anyMatch(Objects::isNull))
                throw new IllegalArgumentException(operation + ": a label of row " + i + " is null; expected another");
            all.addAll(ofRow);
        }
        if (all.isEmpty()) throw new IllegalArgumentException(operation + ": no row has a label; expected one at least");
        return sorted(all);
    }

    private static <L> List<L> sorted(Collection<? extends L> labels) {
        final List<L> classes = new ArrayList<>(labels);
        if (classes.stream().allMatch(label -> label instanceof Comparable && label.getClass() == classes.get(0).getClass()))
            classes.sort(null);
        return classes;
    }

    /** The number of each label, or of each category. */
    static <L> Map<L, Integer> numbers(List<? extends L> classes) {
        final Map<L, Integer> numbers = new HashMap<>();
        for (L label : classes) numbers.put(label, numbers.size());
        return numbers;
    }

    /** A target for each row: the number of its class. */
    static float[][] targets(String operation, List<?> labels, List<?> classes) {
        final Map<?, Integer> numbers = numbers(Objects.requireNonNull(classes, "classes"));
        final float[][] y = new float[Objects.requireNonNull(labels, "labels").size()][1];
        for (int i = 0; i < y.length; i++) {
            final Integer number = numbers.get(labels.get(i));
            if (number == null)
                throw new IllegalArgumentException(
                    operation + ": the label of row " + i + " is '" + labels.get(i) + "'; expected one of " + shortened(classes));
            y[i][0] = number;
        }
        return y;
    }

    /** A target for each class and row: whether it is one of the labels of the row. */
    static float[][] targetsOfSeveral(List<? extends Collection<?>> labels, List<?> classes) {
        final Map<?, Integer> numbers = numbers(classes);
        final float[][] y = new float[labels.size()][classes.size()];
        for (int i = 0; i < y.length; i++) for (Object label : labels.get(i)) y[i][numbers.get(label)] = 1;
        return y;
    }

    /** The first few of them, for a message. */
    static String shortened(List<?> labels) {
        return labels.size() <= MOST ? labels.toString()
            : labels.subList(0, MOST).stream().map(String::valueOf).collect(Collectors.joining(", ", "[", ", …]"));
    }
}
