package dev.backblas.cli;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Names that the user chooses from; a slip of the pen is recognised. */
final class Choice {

    private Choice() {}

    /** The one of these constants that is called so, in lower case. */
    static <E extends Enum<E>> E of(String name, List<E> constants) {
        for (E constant : constants) if (constant.name().equalsIgnoreCase(name)) return constant;
        throw new IllegalArgumentException("'" + name + "' is none of "
            + expected(name, constants.stream().map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList()));
    }

    /** What was expected instead of a name: all there are, and the one that was meant. */
    static String expected(String name, List<String> known) {
        final int last = known.size() - 1;
        return (last == 0 ? "" : String.join(", ", known.subList(0, last)) + " or ") + known.get(last) + meant(name, known);
    }

    /** The question which of them was meant, or nothing if none is near. */
    static String meant(String name, Collection<String> known) {
        return known.stream().filter(other -> distance(name, other) <= Math.min(3, (other.length() + 1) / 3))
            .min(Comparator.comparingInt(other -> distance(name, other)))
            .map(other -> "; did you mean " + other + "?").orElse("");
    }

    /** Letters to be changed, added, taken away or swapped with their neighbour (F. Damerau, 1964), whatever their case. */
    private static int distance(String from, String to) {
        final String a = from.toLowerCase(Locale.ROOT), b = to.toLowerCase(Locale.ROOT);
        final int[][] d = new int[a.length() + 1][b.length() + 1]; // between the first i letters and the first j
        Arrays.setAll(d[0], j -> j);
        for (int i = 1; i <= a.length(); i++) {
            d[i][0] = i;
            for (int j = 1; j <= b.length(); j++) {
                final int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] = Math.min(d[i - 1][j - 1] + change, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1))
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
        return d[a.length()][b.length()];
    }
}
