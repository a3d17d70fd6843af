import Contracts
import Hummingbird

/// A path template whose parameters have types: `{id}` is a UUID; other kinds are interpolated, as in
/// `"capacity-history/{employeeId}/\(date: "date")"`.
///
/// Below the API's root, unless it begins with a slash.
public struct RoutePath: Sendable, ExpressibleByStringInterpolation {
    public struct Parameter: Sendable, Equatable {
        public enum Kind: Sendable { case identifier, date, text }
        public let name: String
        public let kind: Kind
    }

    let template: String
    public let parameters: [Parameter]

    public init(stringLiteral template: String) {
        var interpolation = StringInterpolation(literalCapacity: template.utf8.count, interpolationCount: 0)
        interpolation.appendLiteral(template)
        self.init(stringInterpolation: interpolation)
    }

    public init(stringInterpolation: StringInterpolation) {
        template = stringInterpolation.template
        parameters = stringInterpolation.parameters
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var template = ""
        fileprivate var parameters: [Parameter] = []

        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: String) {
            template += literal
            for part in literal.split(separator: "/") where part.hasPrefix("{") && part.hasSuffix("}") {
                parameters.append(Parameter(name: String(part.dropFirst().dropLast()), kind: .identifier))
            }
        }

        public mutating func appendInterpolation(date name: String) { append(name, .date) }
        public mutating func appendInterpolation(text name: String) { append(name, .text) }
        /// A resource's name; no parameter.
        public mutating func appendInterpolation(_ literal: String) { appendLiteral(literal) }

        private mutating func append(_ name: String, _ kind: Parameter.Kind) {
            template += "{\(name)}"
            parameters.append(Parameter(name: name, kind: kind))
        }
    }

    /// `/api/v1/employees/{id}`
    func absolute(isInternal: Bool) -> String {
        template.hasPrefix("/") ? template : (isInternal ? "/internal/v1/" : "/api/v1/") + template
    }

    /// - Throws: 422 naming each parameter that is not what it must be.
    func check(_ context: ServiceRequestContext) throws {
        var validation = Validation()
        for parameter in parameters {
            let text = try context.parameter(parameter.name)
            switch parameter.kind {
            case .identifier: validation.require(TenantID(text) != nil, parameter.name, "must be a UUID")
            case .date: validation.require(CivilDate(text) != nil, parameter.name, "must be a date like 2026-01-31")
            case .text: break
            }
        }
        guard validation.errors.isEmpty else { throw ProblemError.validation(validation.errors) }
    }
}
