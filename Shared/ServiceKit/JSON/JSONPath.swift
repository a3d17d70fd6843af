/// Where in a document something stands, as a client would write it: `employees[3].name`.
struct JSONPath: Sendable, Equatable {
    private(set) var text = ""

    init() {}

    init(_ keys: [any CodingKey]) {
        for key in keys {
            if let index = key.intValue { self = self[index] } else { self = self[key.stringValue] }
        }
    }

    subscript(_ name: String) -> JSONPath {
        var path = self
        path.text = text.isEmpty ? name : "\(text).\(name)"
        return path
    }

    subscript(_ index: Int) -> JSONPath {
        var path = self
        path.text = "\(text)[\(index)]"
        return path
    }
}
