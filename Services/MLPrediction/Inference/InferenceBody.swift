import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// A request for inference: the JSON, and the binary tensor data behind it.
struct InferenceBody: Sendable {
    /// The body as it crossed the wire.
    struct Sent: Sendable {
        let bytes: [UInt8]
        /// The values of ``InferenceBody/header``; none where the body is JSON alone.
        let headerLengths: [String]

        init(bytes: [UInt8], headerLengths: [String] = []) {
            self.bytes = bytes
            self.headerLengths = headerLengths
        }

        /// - Throws: `ProblemError` 408, 413, 415, 429 or 503.
        init(of request: Request, in context: ServiceRequestContext) async throws {
            try InferenceBody.requirePlain(request.headers)
            try self.init(
                bytes: try await request.bodyBytes(upTo: InferenceBody.maximumBytes, in: context),
                fields: request.headers)
        }

        /// - Throws: `ProblemError` 415.
        init(bytes: [UInt8], fields: HTTPFields) throws {
            try InferenceBody.requirePlain(fields)
            self.init(bytes: bytes, headerLengths: fields[values: InferenceBody.header])
        }
    }

    let request: InferenceRequest
    private let binary: ArraySlice<UInt8>

    static let header = HTTPField.Name("Inference-Header-Content-Length")!
    /// As the gateway's route has it.
    static let maximumBytes = 16 << 20

    /// - Parameter input: the network's, which a body without JSON is the data of.
    /// - Throws: `ProblemError` 400 or 422.
    init(_ sent: Sent, for input: InferenceTensorMetadata) throws {
        let length = try Self.length(of: sent)
        if length == 0, !sent.headerLengths.isEmpty {
            request = try Self.request(ofBytes: sent.bytes.count, for: input)
        } else {
            request = try StrictJSON.decode(from: sent.bytes[..<length])
        }
        binary = sent.bytes[length...]
    }

    /// Of the JSON.
    private static func length(of sent: Sent) throws -> Int {
        guard let text = sent.headerLengths.first else { return sent.bytes.count }
        guard sent.headerLengths.count == 1, let length = Int(text),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), length <= sent.bytes.count
        else {
            throw ProblemError.malformed(
                "Inference-Header-Content-Length must be the bytes of JSON at the body's beginning, 0 without JSON.")
        }
        return length
    }

    /// What a body says that is the data of the one input alone: as many rows as it has bytes for, answered in binary, too.
    private static func request(ofBytes count: Int, for input: InferenceTensorMetadata) throws -> InferenceRequest {
        let columns = input.shape[1]
        guard count > 0, count.isMultiple(of: 4 * columns) else {
            throw ProblemError.malformed(
                "Without JSON the body must be the data of the one input, \(4 * columns) bytes for each row.")
        }
        return InferenceRequest(
            parameters: ["binary_data_output": .bool(true)],
            inputs: [
                InferenceInput(
                    name: input.name, shape: [count / (4 * columns), columns], datatype: input.datatype,
                    parameters: ["binary_data_size": .integer(count)])
            ])
    }

    /// What is compressed would be read as it stands.
    private static func requirePlain(_ headers: HTTPFields) throws {
        let codings = headers[values: .contentEncoding].filter { $0.lowercased() != "identity" }
        let type = headers[.contentType]?.split(separator: ";").first?.lowercased()
        guard codings.isEmpty, type == nil || type == "application/json" || type == "application/octet-stream" else {
            throw ProblemError(
                status: .unsupportedMediaType, code: .unsupportedMediaType,
                "Send JSON, or JSON with binary tensor data behind it as application/octet-stream, uncompressed.")
        }
    }

    /// - Throws: `ProblemError` 422 where the JSON names another model or version than the one that answers.
    func require(name: String, version: Int) throws {
        if let named = request.modelName, !named.isEmpty, named != name {
            throw ProblemError.validation("model_name", "must be \(name), as in the path, or left out")
        }
        if let named = request.modelVersion, !named.isEmpty, named != String(version) {
            throw ProblemError.validation("model_version", "must be \(version), which answers, or left out")
        }
    }

    /// The rows of the one input, row by row.
    /// - Throws: `ProblemError` 422 naming what does not fit the network.
    func rows(of tensor: InferenceTensorMetadata, atMost maximum: Int) throws -> [Float] {
        guard request.inputs.count == 1, request.inputs[0].name == tensor.name else {
            throw ProblemError.validation("inputs", "must be the one input \(tensor.name)")
        }
        let input = request.inputs[0]
        let columns = tensor.shape[1]
        guard input.datatype == tensor.datatype else {
            throw ProblemError.validation("inputs[0].datatype", "must be \(tensor.datatype)")
        }
        guard input.shape.count == 2, (1...maximum).contains(input.shape[0]), input.shape[1] == columns else {
            throw ProblemError.validation(
                "inputs[0].shape", "must be [rows, \(columns)], with 1 to \(maximum) rows")
        }
        let count = input.shape[0] * columns
        let values = try values(of: input, count: count)
        guard values.allSatisfy(\.isFinite) else {
            throw ProblemError.validation("inputs[0].data", "must be finite numbers of single precision")
        }
        return values
    }

    private func values(of input: InferenceInput, count: Int) throws -> [Float] {
        for name in (input.parameters ?? [:]).keys.sorted() where name.hasPrefix("shared_memory") {
            throw ProblemError.validation("inputs[0].parameters.\(name)", "is not offered; send the data")
        }
        guard let size = input.parameters?["binary_data_size"] else {
            guard binary.isEmpty else {
                throw ProblemError.validation(
                    "inputs[0].parameters", "must have a binary_data_size for the data behind the JSON")
            }
            return try Self.numbers(input.data, count: count)
        }
        guard size == .integer(count * 4), input.data == nil, binary.count == count * 4 else {
            throw ProblemError.validation(
                "inputs[0].parameters.binary_data_size",
                "must be \(count * 4), with so many bytes behind the JSON and no data in it")
        }
        return binary.withUnsafeBytes { bytes in
            (0..<count).map {
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
            }
        }
    }

    private static func numbers(_ data: JSONValue?, count: Int) throws -> [Float] {
        var numbers: [Float] = []
        numbers.reserveCapacity(count)
        var isNumeric = true
        func take(_ value: JSONValue) {
            switch value {
            case .integer(let number): numbers.append(Float(number))
            case .number(let number): numbers.append(Float(number))
            case .array(let values): for value in values { take(value) }
            case .null, .bool, .string, .object: isNumeric = false
            }
        }
        if let data { take(data) }
        guard isNumeric, case .array? = data, numbers.count == count else {
            throw ProblemError.validation(
                "inputs[0].data", "must be an array of \(count) numbers, row by row, or binary data behind the JSON")
        }
        return numbers
    }

    /// Whether the one output is wanted as binary data.
    /// - Throws: `ProblemError` 422 for an output that there is none of, or a form of it that is not offered.
    func wantsBinary(_ output: String) throws -> Bool {
        for name in (request.parameters ?? [:]).keys.sorted() where name.hasPrefix("sequence_") {
            throw ProblemError.validation("parameters.\(name)", "is not offered: networks keep no state")
        }
        let usual = try Self.flag(request.parameters?["binary_data_output"], "parameters.binary_data_output")
        guard let outputs = request.outputs, !outputs.isEmpty else { return usual ?? false }
        guard outputs.count == 1, outputs[0].name == output else {
            throw ProblemError.validation("outputs", "must be left out, or name the one output \(output)")
        }
        for name in ["classification", "shared_memory_region"] where outputs[0].parameters?[name] != nil {
            throw ProblemError.validation("outputs[0].parameters.\(name)", "is not offered")
        }
        return try Self.flag(outputs[0].parameters?["binary_data"], "outputs[0].parameters.binary_data") ?? usual
            ?? false
    }

    private static func flag(_ value: JSONValue?, _ field: String) throws -> Bool? {
        switch value {
        case nil: nil
        case .bool(let flag): flag
        default: throw ProblemError.validation(field, "must be true or false")
        }
    }
}
