/// One value of the document being decoded, with what has been asked of it.
final class JSONNode {
    let syntax: JSONSyntax
    let path: JSONPath
    let report: JSONReport
    /// The members of an object by name; the last wins where one comes twice (which is reported).
    private(set) lazy var members: [String: JSONNode] = makeMembers()
    /// Elements that were read and have parts of their own, in their order. Others leave nothing to be asked later.
    private var read: [(index: Int, node: JSONNode)] = []
    private var asked: Set<String> = []
    /// Someone read it as an object with known keys, so that the other keys are unknown.
    private var isRecord = false

    init(_ syntax: JSONSyntax, path: JSONPath, report: JSONReport) {
        self.syntax = syntax
        self.path = path
        self.report = report
    }

    var isNull: Bool { if case .null = syntax { true } else { false } }

    /// Which members there are; `asked` ones are known to the type.
    func member(_ name: String) -> JSONNode? {
        asked.insert(name)
        return members[name]
    }

    func readAsRecord() { isRecord = true }

    /// Everything is known: the type reads whatever keys there are (a dictionary).
    func askForAll() { asked.formUnion(members.keys) }

    /// Reports the members that no decoder read, here and below.
    func rejectUnused() {
        if case .object(let pairs) = syntax, isRecord {
            for (name, _) in pairs where !asked.contains(name) {
                report.reject(path[name], "is not a field of this request")
            }
            for (name, node) in members where asked.contains(name) { node.rejectUnused() }
        } else if case .array = syntax {
            for (_, element) in read { element.rejectUnused() }
        }
    }

    private func makeMembers() -> [String: JSONNode] {
        guard case .object(let pairs) = syntax else { return [:] }
        var members: [String: JSONNode] = [:]
        for (name, value) in pairs {
            if members[name] != nil { report.reject(path[name], "is a duplicate") }
            if name.unicodeScalars.contains("\0") { report.reject(path[name], "must not contain the character U+0000") }
            members[name] = JSONNode(value, path: path[name], report: report)
        }
        return members
    }

    /// 0 for what is no array.
    var elementCount: Int { if case .array(let values) = syntax { values.count } else { 0 } }

    /// An element of an array, made when it is read: a body may have millions.
    ///
    /// - Parameter index: below ``elementCount``; elements are read one after the other, each any number of times.
    func element(_ index: Int) -> JSONNode {
        guard case .array(let values) = syntax else { preconditionFailure("only an array has elements") }
        if let last = read.last, last.index == index { return last.node }
        let node = JSONNode(values[index], path: path[index], report: report)
        switch node.syntax {
        case .array, .object: read.append((index, node))
        case .null, .bool, .number, .string: break
        }
        return node
    }
}
