/** JSON without a library, so that any JVM runs it: objects as maps, arrays as lists, numbers as doubles. */
package kerasface.core

/** @throws KerasfaceException at what is no JSON text */
fun parseJson(text: String): Any? = JsonReader(text).document()

/** Maps, lists, strings, numbers, booleans and null as JSON. */
fun writeJson(value: Any?): String = when (value) {
    is Map<*, *> -> value.entries.joinToString(",", "{", "}") { "${quoted(it.key.toString())}:${writeJson(it.value)}" }
    is Iterable<*> -> value.joinToString(",", "[", "]") { writeJson(it) }
    is String -> quoted(value)
    is Double -> if (value % 1 == 0.0 && value in -1e15..1e15) value.toLong().toString() else value.toString()
    else -> value.toString()
}

private fun quoted(text: String) = text.map { character ->
    when {
        character == '"' || character == '\\' -> "\\$character"
        character < ' ' -> "\\u%04x".format(character.code)
        else -> character.toString()
    }
}.joinToString("", "\"", "\"")

private class JsonReader(private val text: String) {
    private var at = 0

    fun document(): Any? {
        val value = value()
        if (next() != null) {
            fail()
        }
        return value
    }

    private fun value(): Any? = when (next()) {
        '{' -> items('}') {
            val key = string()
            expect(':')
            key to value()
        }.toMap()
        '[' -> items(']') { value() }
        '"' -> string()
        else -> literal()
    }

    private fun <T> items(end: Char, item: () -> T): List<T> {
        at++
        val items = mutableListOf<T>()
        while (next() != end) {
            if (items.isNotEmpty()) {
                expect(',')
            }
            items += item()
        }
        at++
        return items
    }

    private fun string(): String {
        expect('"')
        val string = StringBuilder()
        while (true) {
            when (val character = text.getOrNull(at++) ?: fail()) {
                '"' -> return string.toString()
                '\\' -> string.append(escaped())
                else -> string.append(character)
            }
        }
    }

    private fun escaped(): Char = when (val character = text.getOrNull(at++)) {
        '"', '\\', '/' -> character
        'b' -> '\b'
        'f' -> '\u000C'
        'n' -> '\n'
        'r' -> '\r'
        't' -> '\t'
        'u' -> {
            at += 4
            text.takeIf { at <= it.length }?.substring(at - 4, at)?.toIntOrNull(16)?.toChar() ?: fail()
        }
        else -> fail()
    }

    private fun literal(): Any? {
        val from = at
        while (text.getOrNull(at)?.let { it.isLetterOrDigit() || it in "+-." } == true) {
            at++
        }
        return when (val word = text.substring(from, at)) {
            "null" -> null
            "true" -> true
            "false" -> false
            else -> word.takeIf(NUMBER::matches)?.toDouble() ?: fail()
        }
    }

    private fun expect(character: Char) {
        if (next() != character) {
            fail()
        }
        at++
    }

    /** What comes after any space; null at the end. */
    private fun next(): Char? {
        while (text.getOrNull(at)?.let { it in " \t\r\n" } == true) {
            at++
        }
        return text.getOrNull(at)
    }

    private fun fail(): Nothing = throw KerasfaceException("No JSON text: stuck at character $at.")
}

private val NUMBER = Regex("-?\\d+(\\.\\d+)?([eE][+-]?\\d+)?")
