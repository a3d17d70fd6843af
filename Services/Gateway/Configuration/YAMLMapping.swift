import Basics
import Yams

/// A YAML mapping that is read key by key and then asked to have had no others, so that a misspelt key is refused with
/// its line instead of being silently without effect.
struct YAMLMapping {
    private let entries: [(key: String, mark: Mark?, value: Node)]
    private var read: Set<String> = []
    let mark: Mark?

    init(_ node: Node, _ what: String) throws(RouteFileError) {
        mark = node.mark
        guard case .mapping(let mapping) = node else { throw RouteFileError(node, "\(what) must be a mapping") }
        var entries: [(key: String, mark: Mark?, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                throw RouteFileError(key, "the keys of \(what) must be plain text")
            }
            entries.append((name, key.mark ?? mark, value))
        }
        self.entries = entries
    }

    /// Every key with its line, for mappings whose keys are names.
    var all: [(key: String, mark: Mark?, value: Node)] { entries }

    mutating func optional(_ key: String) -> Node? {
        read.insert(key)
        return entries.first { $0.key == key }?.value
    }

    mutating func required(_ key: String) throws(RouteFileError) -> Node {
        guard let node = optional(key) else { throw RouteFileError(mark, "\"\(key)\" is missing") }
        return node
    }

    mutating func text(_ key: String) throws(RouteFileError) -> String {
        try Self.text(try required(key), key)
    }

    mutating func flag(_ key: String) throws(RouteFileError) -> Bool {
        guard let node = optional(key) else { return false }
        guard let value = node.bool else { throw RouteFileError(node, "\"\(key)\" must be true or false") }
        return value
    }

    mutating func number(_ key: String, _ range: ClosedRange<Double>, _ words: String) throws(RouteFileError) -> Double
    {
        let node = try required(key)
        guard let value = node.float, range.contains(value) else {
            throw RouteFileError(node, "\"\(key)\" must be a number \(words)")
        }
        return value
    }

    mutating func count(_ key: String) throws(RouteFileError) -> Int {
        let node = try required(key)
        guard let value = node.int, (1...1_000_000).contains(value) else {
            throw RouteFileError(node, "\"\(key)\" must be a whole number from 1 to 1000000")
        }
        return value
    }

    /// `500ms`, `30s`, `5m`, `1h`.
    mutating func duration(_ key: String, default value: Duration? = nil) throws(RouteFileError) -> Duration {
        guard let node = optional(key) else {
            if let value { return value }
            throw RouteFileError(mark, "\"\(key)\" is missing")
        }
        guard let duration = node.scalar.flatMap({ DurationText.duration($0.string) }), duration > .zero else {
            throw RouteFileError(node, "\"\(key)\" must be a time like 500ms, 30s, 5m or 1h")
        }
        return duration
    }

    /// `64KiB`, `1MiB`, `2GiB`.
    mutating func bytes(_ key: String, default value: Int) throws(RouteFileError) -> Int {
        guard let node = optional(key) else { return value }
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        guard let (count, unit) = Self.quantity(node, units), count >= 0, count <= 1 << 20 else {
            throw RouteFileError(node, "\"\(key)\" must be a size like 64KiB, 1MiB or 2GiB")
        }
        return unit * count
    }

    mutating func list(_ key: String, like example: String) throws(RouteFileError) -> [Node] {
        try Self.list(try required(key), key, like: example)
    }

    static func list(_ node: Node, _ key: String, like example: String) throws(RouteFileError) -> [Node] {
        guard case .sequence(let nodes) = node, !nodes.isEmpty else {
            throw RouteFileError(node, "\"\(key)\" must be a list like \(example)")
        }
        return Array(nodes)
    }

    /// Every key that was not read.
    var unread: [RouteFileError] {
        let known = read.sorted().joined(separator: ", ")
        return entries.filter { !read.contains($0.key) }.map {
            RouteFileError($0.mark, "unknown key \"\($0.key)\"; known here are \(known)")
        }
    }

    static func text(_ node: Node, _ key: String) throws(RouteFileError) -> String {
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw RouteFileError(node, "\"\(key)\" must be a text")
        }
        return text
    }

    private static func quantity<Unit>(_ node: Node, _ units: [(String, Unit)]) -> (Int, Unit)? {
        guard let text = node.scalar?.string else { return nil }
        for (suffix, unit) in units where text.hasSuffix(suffix) {
            if let count = Int(text.dropLast(suffix.count)) { return (count, unit) }
        }
        return nil
    }
}

extension RouteFileError {
    init(_ node: Node, _ reason: String) { self.init(node.mark, reason) }

    init(_ mark: Mark?, _ reason: String) {
        self.init(line: mark?.line ?? 1, column: mark?.column ?? 1, reason: reason)
    }
}
