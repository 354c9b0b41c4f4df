package dev.backblas.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.LinkedHashMap;
import java.util.Map;

/** Lines of JSON on standard output, for {@code --json}: an object a line. */
final class Json {

    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private Json() {}

    /** Prints an object of these names and values in turn; a null, a NaN or an infinity leaves its name out. */
    static void print(Object... namesAndValues) {
        final Map<String, Object> object = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2)
            put(object, (String) namesAndValues[i], namesAndValues[i + 1]);
        print(object);
    }

    static void print(Map<String, ?> object) {
        System.out.println(line(object));
    }

    static String line(Map<String, ?> object) {
        return GSON.toJson(object);
    }

    static void put(Map<String, Object> object, String name, Object value) {
        final boolean undefined =
            value instanceof Double d && !Double.isFinite(d) || value instanceof Float f && !Float.isFinite(f);
        if (value != null && !undefined) object.put(name, value);
    }
}
