public import Contracts

/// The API's description, made from what is declared of the routes.
public enum OpenAPIDocument {
    /// Where a service gives its part.
    public static let partPath = "/internal/v1/openapi"

    /// Of one service's routes: `paths` and `components`. Internal routes are not described.
    /// - Throws: when a type or a parameter cannot be described.
    public static func part(_ declared: [DeclaredRoute]) throws -> JSONValue {
        var components = SchemaComponents()
        var paths: [String: [String: JSONValue]] = [:]
        for route in declared where !route.access.isInternal {
            paths[route.path, default: [:]][route.method.rawValue.lowercased()] =
                try OpenAPIOperation(route: route).json(&components)
        }
        _ = components.json(try SchemaRecorder.schema(Problem.self), isRequest: false)
        return .object([
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": .object(["schemas": .object(components.schemas)]),
        ])
    }

    /// The parts of all services in one document.
    /// - Parameters:
    ///   - parts: by the name of their service.
    ///   - reachable: the gateway's table: what is not in it is left out.
    ///   - missing: services that could not be asked; the document names them.
    public static func merged(
        _ parts: [(service: ServiceName, part: JSONValue)], reachable: Set<String>, missing: [ServiceName]
    ) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        var schemas: [String: JSONValue] = [:]
        var tags: Set<String> = []
        for (service, part) in parts {
            let part = part.renamingSchemas(thatDifferFrom: schemas, by: service)
            for (path, item) in part["paths"]?.members ?? [:] {
                let operations = item.members.filter { reachable.contains("\($0.key.uppercased()) \(path)") }
                guard !operations.isEmpty else { continue }
                paths[path] = .object((paths[path]?.members ?? [:]).merging(operations) { first, _ in first })
                for operation in operations.values {
                    tags.formUnion(operation["tags"]?.elements.compactMap(\.stringValue) ?? [])
                }
            }
            schemas.merge(part["components"]?["schemas"]?.members ?? [:]) { first, _ in first }
        }
        var components = sharedComponents
        components["schemas"] = .object(schemas)
        var document: [String: JSONValue] = [
            "openapi": .string("3.1.0"),
            "info": .object([
                "title": .string("ERM platform"), "version": .string("1"),
                "description": .string(
                    "Answers are `{\"success\": true, \"data\": …}`; failures are problems (RFC 9457) with a stable `code`."
                ),
            ]),
            "servers": .array([.object(["url": .string("/")])]),
            "paths": .object(paths),
            "components": .object(components),
            "tags": .array(tags.sorted().map { .object(["name": .string($0)]) }),
        ]
        if !missing.isEmpty { document["x-missing-services"] = .array(missing.map { .string($0.rawValue) }) }
        return .object(document)
    }
}

extension JSONValue {
    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
    var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// Two services may give one name to different things; the later one's gets the service's name in front.
    fileprivate func renamingSchemas(thatDifferFrom known: [String: JSONValue], by service: ServiceName) -> JSONValue {
        let own = self["components"]?["schemas"]?.members ?? [:]
        let clashes = own.filter { name, schema in known[name] != nil && known[name] != schema }.keys
        guard !clashes.isEmpty else { return self }
        let prefix = service.rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        let root = "#/components/schemas/"
        let names = Dictionary(uniqueKeysWithValues: clashes.map { (root + $0, root + prefix + $0) })
        guard case .object(var part) = mapped({ names[$0] ?? $0 }) else { return self }
        let renamed = part["components"]?["schemas"]?.members ?? [:]
        part["components"] = .object([
            "schemas": .object(
                Dictionary(
                    uniqueKeysWithValues: renamed.map {
                        (clashes.contains($0.key) ? prefix + $0.key : $0.key, $0.value)
                    }))
        ])
        return .object(part)
    }

    private func mapped(_ text: (String) -> String) -> JSONValue {
        switch self {
        case .string(let value): .string(text(value))
        case .array(let values): .array(values.map { $0.mapped(text) })
        case .object(let members): .object(members.mapValues { $0.mapped(text) })
        case .null, .bool, .integer, .number: self
        }
    }
}
