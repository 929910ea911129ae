// Prints java-maps.tsv: a map as JSON, a tab, and (as a JSON string) what Java's own HashMap prints of it once the parts that Elastic's
// pipeline treats as empty are removed in place.
//
//     java detection/tests/ecs/JavaMaps.java > detection/tests/ecs/java-maps.tsv
//
// Written for OpenJDK 17. The random maps come from a fixed seed.

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.*;

class JavaMaps {
    static final List<String> NAMES = List.of(
        "functionName", "runtime", "role", "handler", "code", "description", "timeout", "memorySize", "publish",
        "vpcConfig", "packageType", "deadLetterConfig", "environment", "kMSKeyArn", "tracingConfig", "tags", "layers",
        "fileSystemConfigs", "imageConfig", "codeSigningConfigArn", "architectures", "ephemeralStorage", "snapStart",
        "loggingConfig", "bucketName", "key", "Host", "x-id", "acl", "userName", "accessKeyId", "policyArn", "groupId",
        "ipPermissions", "items", "fromPort", "toPort", "ipProtocol", "cidrIp", "roleArn", "roleSessionName",
        "externalId", "durationSeconds", "instancesSet", "instanceId", "attribute", "userData", "maxResults",
        "nextToken", "filterSet", "name", "value", "a.b", "größe", "鍵", "😀", "🔑key", "", " ", "Aa", "BB");

    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (Map<String, Object> map : written()) {
            print(out, map);
        }
        Random random = new Random(20150331);
        for (int row = 0; row < 60; row++) {
            print(out, randomMap(random, row % 30, 0));
        }
    }

    static void print(PrintStream out, Map<String, Object> map) {
        Object copy = copy(map);
        clean(copy);
        out.println(json(map) + "\t" + json(copy.toString()));
    }

    static List<Map<String, Object>> written() {
        List<Map<String, Object>> maps = new ArrayList<>();
        maps.add(map("functionName", "f"));
        maps.add(map("b", 1, "a", 2));
        // The same hash: "Aa" and "BB", in both orders.
        maps.add(map("Aa", 1, "BB", 2));
        maps.add(map("BB", 2, "Aa", 1));
        maps.add(map("AaAa", 1, "BBBB", 2, "AaBB", 3, "BBAa", 4));
        // Twelve fill the first table, the thirteenth doubles it.
        maps.add(numbered(12));
        maps.add(numbered(13));
        maps.add(numbered(24));
        maps.add(numbered(25));
        maps.add(numbered(49));
        // Empty parts are gone, but the table has grown for them.
        Map<String, Object> thinned = numbered(13);
        thinned.put("parameter03", null);
        thinned.put("parameter07", "");
        thinned.put("parameter11", "-");
        maps.add(thinned);
        maps.add(map("gone", null, "dash", "-", "word", "none", "text", "", "map", map(), "list", List.of(), "kept", 0));
        maps.add(map("nested", map("x", map("y", null), "z", "none"), "kept", "None"));
        maps.add(map("list", Arrays.asList("a", null, "", "b", List.of(), map("k", "v"), List.of(1, 2))));
        maps.add(map("list", Arrays.asList(null, "", map("k", "-")), "kept", true));
        maps.add(map("t", true, "f", false, "zero", 0, "minus", -5, "long", 9007199254740993L));
        maps.add(map("a", 1.0, "b", 1.5, "c", 1.0E10, "d", 0.001, "e", 1.0E-4, "f", 1234567.0, "g", 1.0E7));
        maps.add(map("a", 0.0, "b", -0.0, "c", 9999999.5, "d", 12345678.5, "e", -1.0E-5, "f", 1.25E100, "g", 0.1));
        maps.add(map("😀", "😀", "é", "ü", "鍵", "値"));
        maps.add(map("quote", "a \"b\" \\ c", "line", "1\n2", "tab", "1\t2", "braces", "{x=1, y=[2]}"));
        maps.add(map("", "empty key", " ", "blank key"));
        return maps;
    }

    static Map<String, Object> randomMap(Random random, int size, int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        while (map.size() < size) {
            map.put(NAMES.get(random.nextInt(NAMES.size())), randomValue(random, depth));
        }
        return map;
    }

    static Object randomValue(Random random, int depth) {
        int kind = random.nextInt(depth < 1 ? 10 : 8);
        switch (kind) {
            case 0: return null;
            case 1: return List.of("", "-", "none").get(random.nextInt(3));
            case 2: return random.nextBoolean();
            case 3: return random.nextInt(100000);
            case 4: return random.nextInt(1000) / 8.0;
            case 8: return randomMap(random, random.nextInt(15), depth + 1);
            case 9: {
                List<Object> list = new ArrayList<>();
                for (int length = random.nextInt(4); length > 0; length--) {
                    list.add(randomValue(random, depth + 1));
                }
                return list;
            }
            default: return "v" + random.nextInt(100);
        }
    }

    static Map<String, Object> map(Object... entries) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int at = 0; at < entries.length; at += 2) {
            map.put((String) entries[at], entries[at + 1]);
        }
        return map;
    }

    static Map<String, Object> numbered(int size) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int number = 0; number < size; number++) {
            map.put(String.format("parameter%02d", number), number);
        }
        return map;
    }

    /** As a JSON parser would: maps as HashMap, lists as ArrayList. */
    static Object copy(Object value) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> copy = new HashMap<>();
            map.forEach((key, item) -> copy.put((String) key, copy(item)));
            return copy;
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(item -> copy.add(copy(item)));
            return copy;
        }
        return value;
    }

    /** Removes what is empty in place, and says whether the value itself is. */
    static boolean clean(Object value) {
        if (value instanceof Map<?, ?> map) {
            map.values().removeIf(JavaMaps::clean);
            return map.isEmpty();
        }
        if (value instanceof List<?> list) {
            list.removeIf(JavaMaps::clean);
            return list.isEmpty();
        }
        return value == null || "".equals(value) || "-".equals(value) || "none".equals(value);
    }

    static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            StringJoiner text = new StringJoiner(",", "{", "}");
            map.forEach((key, item) -> text.add(json(key) + ":" + json(item)));
            return text.toString();
        }
        if (value instanceof List<?> list) {
            StringJoiner text = new StringJoiner(",", "[", "]");
            list.forEach(item -> text.add(json(item)));
            return text.toString();
        }
        if (value instanceof String string) {
            return '"' + string.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t") + '"';
        }
        return String.valueOf(value);
    }
}
