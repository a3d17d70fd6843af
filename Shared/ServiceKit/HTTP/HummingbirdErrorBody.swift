import Contracts
import HTTPTypes
import Hummingbird
import NIOCore

/// Recognises the answers that Hummingbird makes of its own errors: an empty body, or `{"error": {"message": …}}`.
enum HummingbirdErrorBody {
    private struct Body: Decodable {
        struct Message: Decodable { let message: String }
        let error: Message
    }

    private struct Collector: ResponseBodyWriter {
        final class Bytes { var bytes: [UInt8] = [] }
        let collected = Bytes()
        mutating func write(_ buffer: ByteBuffer) async throws { collected.bytes += Array(buffer.readableBytesView) }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    /// nil when the answer is not Hummingbird's own, such as a proxied one, and must stay as it is.
    static func error(from response: Response) async -> ProblemError? {
        var headers = response.headers
        let type = headers[.contentType]
        headers[.contentType] = nil
        headers[.contentLength] = nil
        if response.body.contentLength == 0, type == nil {
            return ProblemError(status: response.status, message: nil, headers: headers)
        }
        guard let length = response.body.contentLength, length < 4096, type?.hasPrefix("application/json") == true
        else {
            return nil
        }
        let collector = Collector()
        let bytes = collector.collected
        try? await response.body.write(collector)
        guard let body: Body = try? WireJSON.decode(from: bytes.bytes) else { return nil }
        return ProblemError(status: response.status, message: body.error.message, headers: headers)
    }
}
