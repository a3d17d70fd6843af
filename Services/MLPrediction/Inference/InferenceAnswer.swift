import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceKit

/// 200, JSON without our envelope, as the protocol has it.
struct PlainJSON<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload

    init(_ payload: Payload) { self.payload = payload }

    static var description: AnswerDescription {
        AnswerDescription(.ok, content: [.document(Payload.self, mediaType: "application/json")])
    }

    func response(to request: Request) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(payload))))
    }
}

/// 200, what a network has computed: as JSON, or behind it as binary tensor data.
struct InferenceAnswer: RouteAnswer {
    let json: [UInt8]
    /// nil where the numbers stand in the JSON.
    let binary: [UInt8]?

    /// - Parameter values: the output's, row by row.
    init(
        _ served: TenantNetworks.Served, id: String?, output: InferenceTensorMetadata, values: [Float], isBinary: Bool
    ) throws {
        let shape = [values.count / served.network.outputs, served.network.outputs]
        var binary: [UInt8]?
        if isBinary {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(values.count * 4)
            for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
            binary = bytes
        }
        self.binary = binary
        json = try InferenceResponse(
            modelName: served.name, modelVersion: String(served.version), id: id,
            outputs: [
                InferenceOutput(
                    name: output.name, datatype: output.datatype, shape: shape,
                    parameters: binary.map { InferenceOutput.Parameters(binaryDataSize: $0.count) },
                    data: isBinary ? nil : values)
            ]
        ).wireBytes()
    }

    static var description: AnswerDescription {
        AnswerDescription(
            .ok,
            content: [
                .document(InferenceResponse.self, mediaType: "application/json"),
                .bytes(mediaType: "application/octet-stream"),
            ])
    }

    var fields: HTTPFields {
        guard binary != nil else { return [.contentType: "application/json"] }
        return [.contentType: "application/octet-stream", InferenceBody.header: String(json.count)]
    }

    var body: ByteBuffer {
        var buffer = ByteBuffer(bytes: json)
        buffer.writeBytes(binary ?? [])
        return buffer
    }

    func response(to request: Request) throws -> Response {
        Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: body))
    }
}
