/// Where in a document something stands, as a client would write it: `employees[3].name`.
///
/// A path is its last step and the path before that, and becomes a text only where it is told. A document may have hundreds of thousands of
/// parts below one name of hundreds of kilobytes: each with a text of its own, they would take a thousand times the document's memory.
struct JSONPath: Sendable, Equatable {
    private enum Step: Sendable {
        case name(String)
        case index(Int)
    }

    private final class Part: Sendable {
        let before: Part?
        let step: Step

        init(_ step: Step, after before: Part?) {
            self.step = step
            self.before = before
        }
    }

    /// How much of a name is told, in Unicode scalars.
    static let longestName = 100
    /// So long a text, in bytes, gets no further step.
    static let longestText = 1_000

    /// nil for the document itself.
    private var last: Part?

    init() {}

    init(_ keys: [any CodingKey]) {
        for key in keys {
            if let index = key.intValue { self = self[index] } else { self = self[key.stringValue] }
        }
    }

    subscript(_ name: String) -> JSONPath { following(.name(name)) }

    subscript(_ index: Int) -> JSONPath { following(.index(index)) }

    private func following(_ step: Step) -> JSONPath {
        var path = self
        path.last = Part(step, after: last)
        return path
    }

    static func == (one: JSONPath, other: JSONPath) -> Bool { one.text == other.text }

    /// Names longer than ``longestName`` are cut, and a path longer than ``longestText`` ends early, both with `…`: each error of a request
    /// repeats its path.
    var text: String {
        var steps: [Step] = []
        var part = last
        while let known = part {
            steps.append(known.step)
            part = known.before
        }
        var text = ""
        for step in steps.reversed() {
            guard text.utf8.count < Self.longestText else { return text + "…" }
            switch step {
            case .name(let name): text += (text.isEmpty ? "" : ".") + Self.cut(name)
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    /// By scalars, for one character may be as long as the document.
    private static func cut(_ name: String) -> String {
        guard name.utf8.count > longestName, name.unicodeScalars.dropFirst(longestName).first != nil else {
            return name
        }
        return String(String.UnicodeScalarView(name.unicodeScalars.prefix(longestName))) + "…"
    }
}
