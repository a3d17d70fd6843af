import Foundation

/// What the text of a statement says about how it may be run and what it may leave behind on the connection. Errs on the
/// safe side: a wrong guess costs a round trip, never a wrong answer.
struct StatementTraits: Equatable {
    /// A query worth preparing.
    var isPreparable = false
    /// May change what unqualified names resolve to.
    var mayChangeNamespace = false
    /// May leave something on the connection that outlives the transaction.
    var mayChangeSession = false

    init(_ text: String) {
        let words = Self.leadingWords(of: text)
        let first = words.first ?? ""
        isPreparable = ["select", "insert", "update", "delete", "merge", "with", "values"].contains(first)
        if isPreparable {
            let lowered = text.lowercased()
            if lowered.contains("set_config") {
                // A setting of our own, named in the text and not by a bind, is not the search path.
                mayChangeNamespace = !Self.setsOwnSettingOnly(lowered)
                mayChangeSession = !lowered.contains("true)")
            }
            if lowered.contains("advisory_lock") { mayChangeSession = true }
            return
        }
        let second = words.dropFirst().first ?? ""
        let leavesNoTrace = [
            "begin", "start", "commit", "end", "savepoint", "release", "copy", "lock", "explain",
            "show", "notify", "fetch", "close", "truncate", "analyze", "vacuum", "deallocate", "call", "",
        ]
        mayChangeNamespace = !leavesNoTrace.contains(first) || first == "call"
        switch first {
        case "set": mayChangeSession = !["local", "transaction", "constraints"].contains(second)
        case "reset", "discard", "listen", "unlisten", "load", "prepare", "declare", "do", "call":
            mayChangeSession = true
        case "create": mayChangeSession = words.contains("temp") || words.contains("temporary")
        default: break
        }
    }

    /// Whether every `set_config` of the text names a setting with a prefix, as only customised ones have.
    private static func setsOwnSettingOnly(_ lowered: String) -> Bool {
        lowered.components(separatedBy: "set_config").dropFirst().allSatisfy { rest in
            let name = rest.drop { $0 == "(" || $0.isWhitespace }
            guard name.first == "'" else { return false }
            return name.dropFirst().prefix { $0 != "'" }.contains(".")
        }
    }

    /// A script of several statements: anything may have happened.
    static var script: StatementTraits {
        var traits = StatementTraits("")
        traits.mayChangeNamespace = true
        traits.mayChangeSession = true
        return traits
    }

    /// The first few words in lower case, comments and opening brackets skipped.
    private static func leadingWords(of text: String) -> [String] {
        var words: [String] = []
        var rest = Substring(text)
        while words.count < 4 {
            rest = rest.drop { $0.isWhitespace || $0 == "(" }
            if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                rest = afterComment(rest)
            } else {
                let word = rest.prefix { $0.isLetter || $0 == "_" }
                guard !word.isEmpty else { return words }
                words.append(word.lowercased())
                rest = rest.dropFirst(word.count)
            }
        }
        return words
    }

    /// Block comments nest.
    private static func afterComment(_ text: Substring) -> Substring {
        var rest = text.dropFirst(2)
        var depth = 1
        while depth > 0, !rest.isEmpty {
            if rest.hasPrefix("*/") {
                depth -= 1
                rest = rest.dropFirst(2)
            } else if rest.hasPrefix("/*") {
                depth += 1
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
            }
        }
        return rest
    }
}
