import Contracts
import Foundation

/// Ten thousand questions in one request, streamed in and out as lines of JSON.
struct PredictStreamTrial {
    private static let lines = 10_000

    func run(_ question: PredictionCompany.Question, _ tenant: TemporaryTenant, _ platform: PlatformClient) async throws
    {
        let line = try WireJSON.encode(question.with(0)) + [UInt8(ascii: "\n")]
        let load = PredictionLoad(
            "POST", url: "\(platform.url)/api/v1/predictions/stream", token: try await tenant.token(),
            type: "application/x-ndjson", body: (0..<Self.lines).flatMap { _ in line })
        let start = ContinuousClock.now
        let answer = try await load.once()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let end = String(decoding: answer.suffix(200), as: UTF8.self).split(separator: "\n").last
        guard end == #"{"end":{"answered":\#(Self.lines),"lines":\#(Self.lines)}}"# else {
            throw CommandFailure("The stream ended with \(end ?? "nothing").")
        }
        print("stream_\(Self.lines)_ms=\((seconds * 1_000).fixed(0))")
        print("stream_per_s=\((Double(Self.lines) / seconds).fixed(0))")
    }
}
