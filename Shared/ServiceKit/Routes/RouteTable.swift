import HTTPTypes

/// Which methods an address takes, to answer 405 with `Allow` instead of 404.
struct RouteTable: Sendable {
    private let routes: [(path: [Substring], method: HTTPRequest.Method)]

    init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
        self.routes = routes.map { ($0.path.split(separator: "/").map { $0[...] }, $0.method) }
    }

    func methods(at path: String) -> [HTTPRequest.Method] {
        let segments = path.split(separator: "/")
        let matching = routes.filter { Self.matches($0.path, segments) }.map(\.method)
        return Set(matching).sorted { $0.rawValue < $1.rawValue }
    }

    private static func matches(_ template: [Substring], _ path: [Substring]) -> Bool {
        if template.last == "**" {
            return path.count >= template.count - 1 && zip(template.dropLast(), path).allSatisfy(matches)
        }
        return template.count == path.count && zip(template, path).allSatisfy(matches)
    }

    private static func matches(_ element: Substring, _ segment: Substring) -> Bool {
        element == segment || element == "*" || element.hasPrefix(":") || element.hasPrefix("{")
            || element.hasSuffix("}")
    }
}
