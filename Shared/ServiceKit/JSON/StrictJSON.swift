public import Contracts

/// Reads what clients send, and says everything that is wrong with it at once.
public enum StrictJSON {
    /// Decodes and validates a request body.
    ///
    /// Unknown fields (unless the type ignores them), fields twice, wrong types, null where a value is needed, numbers out of
    /// range and the type's own rules are all listed, each with its path.
    /// - Throws: ``ProblemError``: 400 when `bytes` is not JSON, 422 otherwise.
    public static func decode<T: RequestPayload>(_ type: T.Type = T.self, from bytes: some Sequence<UInt8>) throws -> T
    {
        let syntax: JSONSyntax
        do {
            syntax = try JSONReader.read(Array(bytes))
        } catch {
            throw ProblemError.malformed("The body is not valid JSON: \(error).")
        }
        let report = JSONReport()
        let payload = try payload(type, from: syntax, report)
        var validation = Validation(errors: report.errors)
        payload?.validate(&validation)
        if let payload, validation.errors.isEmpty { return payload }
        throw ProblemError.validation(validation.errors)
    }

    /// nil when there is an error that no stand-in could be found for; the report then holds at least that error.
    private static func payload<T: RequestPayload>(
        _ type: T.Type, from syntax: JSONSyntax, _ report: JSONReport
    ) throws -> T? {
        let decoder = StrictDecoder(node: JSONNode(syntax, path: JSONPath(), report: report), codingPath: [])
        defer { if !T.ignoresUnknownFields { decoder.node.rejectUnused() } }
        do { return try T(from: decoder) } catch is JSONReport.Stop { return nil }
    }
}

/// The errors found so far in one document.
final class JSONReport {
    /// Thrown when decoding cannot go on at one place; the error is in the report already.
    struct Stop: Error {}

    private(set) var errors: [FieldError] = []

    func reject(_ path: JSONPath, _ message: String) {
        guard errors.count < Validation.maximumErrors else { return }
        let field = path.text
        guard !errors.contains(where: { $0.field == field }) else { return }
        errors.append(FieldError(field: field, message: message))
    }
}
